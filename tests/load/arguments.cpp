#include "tests/load/arguments.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace carillon::load {

void Arguments::add(const std::string& name, int& into) {
  known_[name] = [&into](const std::string& text) { into = std::stoi(text); };
}
void Arguments::add(const std::string& name, double& into) {
  known_[name] = [&into](const std::string& text) { into = std::stod(text); };
}
void Arguments::add(const std::string& name, std::uint16_t& into) {
  known_[name] = [&into](const std::string& text) { into = static_cast<std::uint16_t>(std::stoi(text)); };
}
void Arguments::add(const std::string& name, std::string& into) {
  known_[name] = [&into](const std::string& text) { into = text; };
}
void Arguments::add(const std::string& name, std::vector<std::string>& into) {
  known_[name] = [this, &into](const std::string& path) {
    std::ifstream file(path);
    if (!file) misuse("cannot read " + path);
    for (std::string line; std::getline(file, line);) into.push_back(line);
  };
}

void Arguments::read(int argc, char** argv, int first) const {
  for (int i = first; i < argc; i += 2) {
    const auto option = known_.find(argv[i]);
    if (option == known_.end() || i + 1 == argc) misuse(std::string("unknown, or without a value: ") + argv[i]);
    try {
      option->second(argv[i + 1]);
    } catch (const std::exception&) {
      misuse(std::string("no number: ") + argv[i] + " " + argv[i + 1]);
    }
  }
}

void Arguments::misuse(const std::string& what) const {
  std::fprintf(stderr, "%s: %s\n", program_.c_str(), what.c_str());
  std::exit(2);
}

}  // namespace carillon::load
