// `--name value` pairs of a stress program.
#pragma once

#include <cstdio>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace carillon::stress {

class Options {
 public:
  Options(int count, char** words) {
    for (int i = 1; i + 1 < count; i += 2) values_[std::string(words[i]).substr(2)] = words[i + 1];
  }

  const std::string& text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw std::invalid_argument("--" + name + " is missing");
    return found->second;
  }
  unsigned long number(const std::string& name) const { return std::stoul(text(name)); }
  std::vector<std::string> list(const std::string& name) const {
    std::vector<std::string> all;
    std::istringstream words(text(name));
    for (std::string word; std::getline(words, word, ',');) all.push_back(word);
    return all;
  }

 private:
  std::map<std::string, std::string> values_;
};

/// main() of a stress program: what it is not asked soundly, or cannot do, is said, and ends it with 2.
inline int run_program(int count, char** words, int (*run)(const Options&)) {
  try {
    return run(Options(count, words));
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 2;
  }
}

}  // namespace carillon::stress
