# Runs tests and counts them. Sourced by script/test and script/sanitize, with `reports` set to a folder that is there.
passed=0 failed=0 skipped=0

# attribute NAME FILE: of the <testsuite> elements of a JUnit report, summed; 0 without a report.
attribute() {
  { tr '\n\t' '  ' <"$2" | grep -oE '<testsuite [^>]*>' | grep -oE " $1=\"[0-9]+\"" | tr -dc '0-9\n' || true; } |
    awk '{ sum += $1 } END { print sum + 0 }'
}

# count NAME STATUS: adds up the report of that name. A run that failed without a failed test counts as one.
count() {
  local report=$reports/$1.xml tests=0 bad=0 idle=0
  if [ -e "$report" ]; then
    tests=$(attribute tests "$report")
    bad=$(($(attribute failures "$report") + $(attribute errors "$report")))
    idle=$(($(attribute skipped "$report") + $(attribute disabled "$report")))
  fi
  if [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1 tests=$((tests + 1)); fi
  passed=$((passed + tests - bad - idle)) failed=$((failed + bad)) skipped=$((skipped + idle))
}

# count_line TEXT: what another script counted, which says so in its last line.
count_line() {
  if [[ $1 =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  else
    failed=$((failed + 1))
  fi
}

# check COMMAND...: is one test.
check() {
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# unit_tests NAME BUILD
unit_tests() {
  local status=0
  ctest --test-dir "$2" --output-on-failure --no-tests=error -j "$(nproc)" --output-junit "$reports/$1.xml" || status=$?
  count "$1" "$status"
}

# end_to_end_tests NAME BINARY ARGUMENTS...: with Debian's Python, which has Debian's pytest, whatever python3 stands for
# on the PATH.
end_to_end_tests() {
  local name=$1 binary=$2 status=0
  shift 2
  CARILLON_BINARY=$binary PYTHONDONTWRITEBYTECODE=1 \
    /usr/bin/python3 -m pytest -n 2 -q -ra -p no:cacheprovider --junit-xml "$reports/$name.xml" "$@" || status=$?
  count "$name" "$status"
}

# sum_up: says how it went, and fails if a test has; where all tools are wanted, also if one was skipped.
sum_up() {
  if [ "$skipped" -gt 0 ]; then
    echo "$skipped skipped"
    if [ -n "${CARILLON_REQUIRE_ALL_TOOLS:-}" ]; then failed=$((failed + skipped)); fi
  fi
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
