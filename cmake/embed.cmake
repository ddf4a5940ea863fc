# Turns a file into a translation unit that holds it, plain and compressed, with a name for what is in it:
#
#   cmake -DFILE=docs/openapi.json -DNAME=openapi -DHEADER=app/embedded.h -DOUTPUT=openapi.cpp -P embed.cmake
#
# defines carillon::app::embedded::openapi. Bytes as numbers, for a literal of this length is more than every compiler
# takes. The same file makes the same unit, whenever it is made.
function(append_bytes variable file)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(.....................................................................................)" "\\1\n    "
         bytes "${bytes}")
  string(APPEND unit "constexpr unsigned char ${variable}[] = {\n    ${bytes}};\n")
  set(unit "${unit}" PARENT_SCOPE)
endfunction()

file(ARCHIVE_CREATE OUTPUT ${OUTPUT}.gz PATHS ${FILE} FORMAT raw COMPRESSION GZip COMPRESSION_LEVEL 9 MTIME "1970-01-01")
file(SHA256 ${FILE} digest)
string(SUBSTRING ${digest} 0 16 tag)

set(unit "// Made by cmake/embed.cmake.\n#include \"${HEADER}\"\n\nnamespace carillon::app::embedded {\nnamespace {\n\n")
append_bytes(plain ${FILE})
append_bytes(gzipped ${OUTPUT}.gz)
string(APPEND unit
  "\nstd::string_view text(const unsigned char* bytes, std::size_t count) {\n"
  "  return {reinterpret_cast<const char*>(bytes), count};\n}\n\n}  // namespace\n\n"
  "const File ${NAME}{text(plain, sizeof plain), text(gzipped, sizeof gzipped), \"\\\"${tag}\\\"\"};\n\n"
  "}  // namespace carillon::app::embedded\n")
file(WRITE ${OUTPUT} "${unit}")
file(REMOVE ${OUTPUT}.gz)
