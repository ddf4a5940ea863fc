#include <sys/stat.h>

#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "app/commands.h"

int main(int argc, char** argv) {
  // A peer that has gone shows as EPIPE where it is written to, and ends no process.
  std::signal(SIGPIPE, SIG_IGN);
  // What a hub keeps is its user's own: the database, its backups, the key of its secrets.
  umask(0077);
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return carillon::app::run_command(arguments, carillon::app::process_environment(), std::cout, std::cerr);
}
