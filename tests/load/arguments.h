// The command line of the load clients: pairs of a name and a value.
//
// Threads: one. What cannot be understood ends the program with a word on it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace carillon::load {

class Arguments {
 public:
  explicit Arguments(std::string program) : program_(std::move(program)) {}

  void add(const std::string& name, int& into);
  void add(const std::string& name, double& into);
  void add(const std::string& name, std::uint16_t& into);
  void add(const std::string& name, std::string& into);
  /// The lines of a file.
  void add(const std::string& name, std::vector<std::string>& into);

  void read(int argc, char** argv, int first = 1) const;
  [[noreturn]] void misuse(const std::string& what) const;

 private:
  std::string program_;
  std::map<std::string, std::function<void(const std::string&)>> known_;
};

}  // namespace carillon::load
