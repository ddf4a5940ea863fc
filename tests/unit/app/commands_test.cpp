#include "app/commands.h"

#include <gmock/gmock.h>

#include <sstream>

#include "app/settings_table.h"

namespace carillon::app {
namespace {

using testing::HasSubstr;

struct Ran {
  int code;
  std::string out;
  std::string err;
};

Ran run(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const auto environment = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
  const int code = run_command(arguments, environment, out, err);
  return {code, out.str(), err.str()};
}

struct Misused {
  std::vector<std::string> arguments;
  std::string message;
};

TEST(CommandLine, MisuseIsToldInOneLineWithExitCode2) {
  const std::vector<Misused> all = {
      {{}, "which command? 'carillon --help' lists them"},
      {{"key"}, "which command? 'carillon key --help' lists them"},
      {{"srve"}, "unknown command 'srve' (did you mean 'serve'?)"},
      {{"backup"}, "FILE is required ('carillon backup --help' shows the usage)"},
      {{"key", "craete"}, "unknown command 'craete' (did you mean 'create'?)"},
      {{"serve", "--lisen=x"}, "unknown option '--lisen' (did you mean '--listen'?)"},
      {{"serve", "now"}, "unexpected argument 'now'"},
      {{"serve", "--listen"}, "--listen: 1 required TEXT missing ('carillon serve --help' shows the usage)"},
      {{"serve", "--loops", "many"}, "--loops must be a whole number from 0 to 256, not 'many'"},
      {{"--loops", "many", "serve"}, "--loops must be a whole number from 0 to 256, not 'many'"},
      {{"account", "create"}, "NAME is required ('carillon account create --help' shows the usage)"},
      {{"key", "create"}, "--account is required ('carillon key create --help' shows the usage)"},
      {{"key", "create", "--account", "a", "--role", "king"},
       "--role: king not in {client,worker,admin} ('carillon key create --help' shows the usage)"},
      {{"key", "create", "--account", "a", "--expires-in", "30"},
       "--expires-in: must be a whole number with s, m, h or d behind it, like 30d, not '30' ('carillon key create "
       "--help' shows the usage)"},
      {{"key", "disable"}, "ID is required ('carillon key disable --help' shows the usage)"},
      {{"webhook"}, "which command? 'carillon webhook --help' lists them"},
      {{"webhook", "rotate"}, "unknown command 'rotate'"},
      {{"webhook", "test"}, "ID is required ('carillon webhook test --help' shows the usage)"},
      {{"webhook", "replay", "we_1"}, "--since is required ('carillon webhook replay --help' shows the usage)"},
      {{"webhook", "replay", "we_1", "--since", "yesterday"},
       "--since: must be a time, like 2026-11-23T17:42:05Z, seconds since 1970, or how long ago, like 2h, not "
       "'yesterday' ('carillon webhook replay --help' shows the usage)"},
      {{"webhook", "deliveries", "we_1", "--status", "lost"},
       "--status: lost not in {pending,delivered,failed} ('carillon webhook deliveries --help' shows the usage)"},
      {{"webhook", "deliveries", "we_1", "--limit", "0"},
       "--limit: Value 0 not in range 1 to 1000000 ('carillon webhook deliveries --help' shows the usage)"},
      {{"webhook", "rotate-secret", "we_1", "--overlap", "1"},
       "--overlap: must be a whole number with s, m, h or d behind it, like 30d, not '1' ('carillon webhook "
       "rotate-secret --help' shows the usage)"},
      {{"demo", "--url", "http://127.0.0.1:1"}, "--url requires --key ('carillon demo --help' shows the usage)"},
  };
  for (const Misused& misused : all) {
    const Ran ran = run(misused.arguments);
    EXPECT_EQ(ran.code, exit_usage);
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(ran.err, "carillon: " + misused.message + "\n");
  }
}

TEST(CommandLine, VersionGoesToStandardOutput) {
  for (const char* spelling : {"version", "--version"}) {
    const Ran ran = run({spelling});
    EXPECT_EQ(ran.code, exit_ok);
    EXPECT_EQ(ran.out, "carillon " CARILLON_VERSION "\n");
    EXPECT_EQ(ran.err, "");
  }
}

TEST(CommandLine, HelpOfServeExplainsEverySetting) {
  const Ran ran = run({"serve", "--help"});
  EXPECT_EQ(ran.code, exit_ok);
  for (const Setting& setting : settings_table()) {
    EXPECT_THAT(ran.out, HasSubstr("  " + setting.flag() + " "));
    EXPECT_THAT(ran.out, HasSubstr("[" + setting.variable() + "]"));
  }
}

TEST(CommandLine, HelpListsTheCommands) {
  const Ran ran = run({"--help"});
  EXPECT_EQ(ran.code, exit_ok);
  for (const char* command : {"serve", "account", "key", "webhook", "demo", "version"})
    EXPECT_THAT(ran.out, HasSubstr(command));
}

TEST(CommandLine, EveryCommandHasHelp) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{{"serve"},
                                                                                       {"account"},
                                                                                       {"account", "create"},
                                                                                       {"account", "list"},
                                                                                       {"account", "suspend"},
                                                                                       {"account", "resume"},
                                                                                       {"key"},
                                                                                       {"key", "create"},
                                                                                       {"key", "list"},
                                                                                       {"key", "disable"},
                                                                                       {"key", "enable"},
                                                                                       {"key", "rotate"},
                                                                                       {"key", "revoke"},
                                                                                       {"webhook"},
                                                                                       {"webhook", "list"},
                                                                                       {"webhook", "show"},
                                                                                       {"webhook", "enable"},
                                                                                       {"webhook", "disable"},
                                                                                       {"webhook", "test"},
                                                                                       {"webhook", "deliveries"},
                                                                                       {"webhook", "redeliver"},
                                                                                       {"webhook", "replay"},
                                                                                       {"webhook", "rotate-secret"},
                                                                                       {"demo"},
                                                                                       {"version"}}) {
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--help");
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.code, exit_ok) << command.back();
    EXPECT_THAT(ran.out, HasSubstr("Usage: carillon " + command.front())) << command.back();
  }
}

}  // namespace
}  // namespace carillon::app
