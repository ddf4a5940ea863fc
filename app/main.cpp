#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "app/commands.h"

int main(int argc, char** argv) {
  // A peer that has gone shows as EPIPE where it is written to, and ends no process.
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return carillon::app::run_command(arguments, carillon::app::process_environment(), std::cout, std::cerr);
}
