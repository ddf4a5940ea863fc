#include "app/commands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <utility>

#include "app/admin_commands.h"
#include "app/check.h"
#include "app/demo.h"
#include "app/generated_texts.h"
#include "app/job_commands.h"
#include "app/keep_commands.h"
#include "app/nearest_word.h"
#include "app/period.h"
#include "app/serve.h"
#include "app/top.h"
#include "app/webhook_commands.h"

namespace carillon::app {
namespace {

constexpr const char* settings_hint =
    "Every command takes the settings that 'carillon serve --help' lists, --data DIR and --config FILE first of all.";

/// What is left to do once the command line is understood.
using Action = std::function<int(const Settings&)>;

std::string check_period(const std::string& text) {
  if (parse_period_s(text)) return "";
  return "must be a whole number with s, m, h or d behind it, like 30d, not '" + text + "'";
}

std::string check_moment(const std::string& text) {
  if (parse_moment(text, 0)) return "";
  return "must be a time, like 2026-11-23T17:42:05Z, seconds since 1970, or how long ago, like 2h, not '" + text + "'";
}

std::string check_rfc3339(const std::string& text) {
  if (hub::parse_rfc3339(text)) return "";
  return "must be a time, like 2027-11-23T17:42:05Z, not '" + text + "'";
}

/// Leaves the settings out of a command's own options.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    return group == settings_group ? "" : CLI::Formatter::make_group(group, is_positional, options);
  }
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    std::string help = CLI::Formatter::make_help(app, std::move(name), mode);
    const std::size_t gap = help.find("\n\n\n");  // what the group leaves
    if (gap != std::string::npos) help.erase(gap, 1);
    return help;
  }
};

/// The commands and their options; a command that was given leaves its action.
class CommandLine {
 public:
  explicit CommandLine(Environment environment)
      : environment_(std::move(environment)),
        app_("Carillon, a notification hub: one job status change, rung on every channel.", "carillon"),
        sources_(app_) {
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.get_formatter()->column_width(34);
    app_.get_formatter()->label("REQUIRED", "");
    app_.fallthrough();
    app_.require_subcommand(1);
    app_.set_help_flag("-h,--help", "Show this help.");
    app_.set_version_flag("--version", "carillon " CARILLON_VERSION, "Show the version.");
    app_.footer(settings_hint);
    add_serve();
    add_account();
    add_key();
    add_webhook();
    add_job();
    add_keep();
    add_top();
    add_demo();
    add_version();
    add_generate();
    member(app_, "check", "Say whether a hub could serve here, and what it would lack; changes nothing.",
           [this](const Settings& settings) { return check(settings, output_); });
  }

  CLI::App& app() { return app_; }
  Settings read_settings() const { return sources_.gather(environment_); }
  const Action& action() const { return action_; }

 private:
  CLI::App& command(CLI::App& parent, const std::string& name, const std::string& help, Action action) {
    CLI::App& made = *parent.add_subcommand(name, help);
    made.footer(settings_hint);
    made.callback([this, action = std::move(action)] { action_ = action; });
    return made;
  }

  /// A command that only holds others.
  CLI::App& family(const std::string& name, const std::string& help) {
    CLI::App& made = *app_.add_subcommand(name, help);
    made.require_subcommand(1);
    made.footer(settings_hint);
    return made;
  }

  /// A member of a family: every one of them can answer in JSON.
  CLI::App& member(CLI::App& parent, const std::string& name, const std::string& help, Action action) {
    CLI::App& made = command(parent, name, help, std::move(action));
    made.add_flag("--json", output_.json, "Print JSON.");
    return made;
  }

  static void positional(CLI::App& command, const std::string& label, std::string& value, const std::string& help) {
    command.add_option(label, value, help)->required()->type_name("");
  }

  void add_serve() {
    CLI::App& made = command(app_, "serve", "Run the hub, until SIGINT or SIGTERM.", [this](const Settings& settings) {
      return serve(settings, [this] { return read_settings(); });
    });
    made.footer("");
    made.footer([] { return settings_help(); });
  }

  void add_account() {
    CLI::App& account = family("account", "Create, list, suspend or resume accounts.");
    positional(member(account, "create", "Create an account.",
                      [this](const Settings& settings) { return account_create(settings, name_, output_); }),
               "NAME", name_, "Name of the account, unique in the hub.");
    member(account, "list", "List the accounts.",
           [this](const Settings& settings) { return account_list(settings, output_); });
    positional(member(account, "suspend", "Refuse all keys of an account and close their connections.",
                      [this](const Settings& settings) { return account_set_status(settings, name_, true, output_); }),
               "NAME", name_, "Name of the account.");
    positional(member(account, "resume", "Let the keys of a suspended account in again.",
                      [this](const Settings& settings) { return account_set_status(settings, name_, false, output_); }),
               "NAME", name_, "Name of the account.");
  }

  void add_key() {
    CLI::App& key = family("key", "Create, list, disable, enable, rotate or revoke API keys.");
    CLI::App& create = member(key, "create", "Create a key and print it: alone, and this once.",
                              [this](const Settings& settings) { return key_create(settings, key_, output_); });
    create.add_option("--account", key_.account, "The account it belongs to.")->required()->type_name("NAME");
    create.add_option("--role", key_.role, "client (submits jobs, sees its own), worker (reports on any) or admin.")
        ->check(CLI::IsMember({"client", "worker", "admin"}))
        ->type_name("ROLE")
        ->capture_default_str();
    create.add_option("--name", key_.name, "What it is for, as listings show it.")->type_name("TEXT");
    CLI::Option* const expires_in = create.add_option("--expires-in", key_.expires_in,
                                                      "When it ends, as 90s, 15m, 12h or 30d from now; never without.");
    expires_in->check(CLI::Validator(check_period, "", ""))->type_name("PERIOD");
    create.add_option("--expires-at", key_.expires_at, "When it ends, as 2027-11-23T17:42:05Z.")
        ->check(CLI::Validator(check_rfc3339, "", ""))
        ->excludes(expires_in)
        ->type_name("TIME");

    CLI::App& list = member(key, "list", "List the keys, without their secrets.",
                            [this](const Settings& settings) { return key_list(settings, keys_, output_); });
    list.add_option("--account", keys_.account, "Only those of an account.")->type_name("NAME");
    list.add_option("--role", keys_.role, "Only those of a role: client, worker or admin.")
        ->check(CLI::IsMember({"client", "worker", "admin"}))
        ->type_name("ROLE");
    const auto of_one = [&](const char* name, const char* help, Action action) -> CLI::App& {
      CLI::App& made = member(key, name, help, std::move(action));
      positional(made, "ID", id_, "The key's id (key_…), as 'key list' shows it.");
      return made;
    };
    of_one("disable", "Refuse a key and close its connections, until it is enabled again.",
           [this](const Settings& settings) { return key_set_status(settings, id_, false, output_); });
    of_one("enable", "Let a disabled key in again.",
           [this](const Settings& settings) { return key_set_status(settings, id_, true, output_); });
    of_one("rotate", "Give a key a new secret and print it; the old one is taken for some time yet.",
           [this](const Settings& settings) { return key_rotate(settings, id_, overlap_, output_); })
        .add_option("--overlap", overlap_, "For how long it is, as 12h or 0s; a day without.")
        ->check(CLI::Validator(check_period, "", ""))
        ->type_name("PERIOD");
    of_one("revoke", "End a key for good. Its jobs stay.",
           [this](const Settings& settings) { return key_revoke(settings, id_, output_); });
  }

  void add_webhook() {
    CLI::App& webhook = family("webhook", "List, try, switch on and off webhooks, and send again what they missed.");
    const auto of_one = [&](const char* name, std::string& id, const char* help, Action action) -> CLI::App& {
      CLI::App& made = member(webhook, name, help, std::move(action));
      positional(made, "ID", id, "The webhook's id (we_…), as 'webhook list' shows it.");
      return made;
    };
    add_webhook_list(webhook);
    positional(member(webhook, "show", "Show a webhook, or a delivery with each attempt at it.",
                      [this](const Settings& settings) { return webhook_show(settings, id_, output_); }),
               "ID", id_, "The id of a webhook (we_…) or of a delivery (dlv_…).");
    of_one("enable", id_, "Send to a webhook again that was disabled.",
           [this](const Settings& settings) { return webhook_set_status(settings, id_, true, output_); });
    of_one("disable", id_, "Send nothing to a webhook any more; what is pending for it ends as failed.",
           [this](const Settings& settings) { return webhook_set_status(settings, id_, false, output_); });
    of_one("test", id_, "Send webhook.test now, and print the delivery's id.",
           [this](const Settings& settings) { return webhook_test(settings, id_, output_); });
    add_webhook_deliveries(
        of_one("deliveries", deliveries_.id, "List what was sent to a webhook, the newest first.",
               [this](const Settings& settings) { return webhook_deliveries(settings, deliveries_, output_); }));
    positional(member(webhook, "redeliver", "Send one delivery again now, and print its id.",
                      [this](const Settings& settings) { return webhook_redeliver(settings, id_, output_); }),
               "ID", id_, "The delivery's id (dlv_…), as 'webhook deliveries' shows it.");
    add_webhook_replay(of_one("replay", replay_.id, "Send again what has failed in a span of time; prints how many.",
                              [this](const Settings& settings) { return webhook_replay(settings, replay_, output_); }));
    of_one("rotate-secret", rotation_.id,
           "Give a webhook a new secret and print it; the old one signs too for a while.",
           [this](const Settings& settings) { return webhook_rotate_secret(settings, rotation_, output_); })
        .add_option("--overlap", rotation_.overlap, "For how long it does, as 24h or 0s; else as the settings have it.")
        ->check(CLI::Validator(check_period, "", ""))
        ->type_name("PERIOD");
  }

  void add_webhook_list(CLI::App& webhook) {
    CLI::App& list = member(webhook, "list", "List the webhooks, without their secrets.",
                            [this](const Settings& settings) { return webhook_list(settings, webhooks_, output_); });
    list.add_option("--account", webhooks_.account, "Only those of an account.")->type_name("NAME");
    list.add_option("--key", webhooks_.key, "Only those of a key (key_…).")->type_name("ID");
    list.add_flag("--jobs", webhooks_.for_jobs, "Those that stand for a webhook_url of jobs, not those registered.");
  }

  void add_webhook_deliveries(CLI::App& deliveries) {
    deliveries.add_option("--status", deliveries_.status, "Only pending, delivered or failed ones.")
        ->check(CLI::IsMember({"pending", "delivered", "failed"}))
        ->type_name("STATUS");
    deliveries.add_option("--limit", deliveries_.limit, "How many at most.")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
        ->type_name("N")
        ->capture_default_str();
  }

  void add_webhook_replay(CLI::App& replay) {
    replay
        .add_option("--since", replay_.since,
                    "From when: like 2026-11-23T17:42:05Z, seconds since 1970, or how long ago, like 2h.")
        ->required()
        ->check(CLI::Validator(check_moment, "", ""))
        ->type_name("TIME");
    replay.add_option("--until", replay_.until, "Until when; now without.")
        ->check(CLI::Validator(check_moment, "", ""))
        ->type_name("TIME");
    replay.add_flag("--all", replay_.all, "Also what has arrived, not only what has failed.");
  }

  void add_job() {
    CLI::App& job = family("job", "Find out whom the hub told of a job.");
    CLI::App& trace =
        member(job, "trace", "Show for each event of a job to whom it went: connections, polls, webhooks.",
               [this](const Settings& settings) { return job_trace(settings, trace_, output_); });
    positional(trace, "ID", trace_.id, "The job's id.");
    trace.add_option("--limit", trace_.limit, "How many events at most, the last ones.")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
        ->type_name("N")
        ->capture_default_str();
  }

  void add_keep() {
    const auto make = [this](CLI::App& parent, const std::string& name, const std::string& help,
                             Action action) -> CLI::App& { return member(parent, name, help, std::move(action)); };
    keep_.add(app_, family("migrate", "Show or bring up to date the schema of the database."), make, output_);
  }

  void add_top() {
    CLI::App& top =
        command(app_, "top", "Watch a running hub: rates, connections, what waits, and endpoints that fail.",
                [this](const Settings& settings) { return run_top(settings, top_); });
    top.add_flag("--once", top_.once, "Show it once and end; so it does where its output is no terminal.");
    top.add_flag("--json", top_.json, "Print a JSON object, one line for each look.");
    top.add_option("--interval", top_.interval_s, "Seconds between two looks.")
        ->check(CLI::Range(0.1, 3600.0))
        ->type_name("SECONDS")
        ->capture_default_str();
  }

  void add_demo() {
    CLI::App& demo =
        command(app_, "demo", "Move one job and show what each channel gets: in a hub of its own, or at --url.",
                [this](const Settings& settings) { return run_demo(demo_, settings); });
    CLI::Option* url =
        demo.add_option("--url", demo_.url, "A running hub, as http://127.0.0.1:8080.")->type_name("URL");
    CLI::Option* client = demo.add_option("--key", demo_.client_key, "A client key of it.")->type_name("KEY");
    CLI::Option* worker = demo.add_option("--worker-key", demo_.worker_key, "A worker key of it.")->type_name("KEY");
    // A circle, so that each misses one: of several CLI11 names whichever lies first in memory.
    url->needs(client);
    client->needs(worker);
    worker->needs(url);
  }

  void add_version() {
    app_.add_subcommand("version", "Show the version.")->callback([] {
      throw CLI::CallForVersion("carillon " CARILLON_VERSION, 0);
    });
  }

  /// Needs no settings, and so no sound settings file.
  void add_generate() {
    CLI::App& generate = family("generate", "Print texts that follow from the commands and settings.");
    const auto add = [&](const char* name, const char* help, std::function<std::string()> text) {
      generate.add_subcommand(name, help)->callback([text = std::move(text)] {
        std::cout << text();
        throw CLI::Success();
      });
    };
    add("bash-completion", "What bash completes.", [this] { return bash_completion(app_); });
    add("manual-page", "The manual page, for man(1).", [this] { return manual_page(app_); });
    add("settings-reference", "All settings, in Markdown.", [] { return settings_reference(); });
  }

  const Environment environment_;
  CLI::App app_;
  SettingsSources sources_;
  Action action_;
  std::string name_;
  std::string id_;
  std::string overlap_;
  KeyCreate key_;
  KeyList keys_;
  WebhookList webhooks_;
  WebhookDeliveries deliveries_;
  WebhookReplay replay_;
  SecretRotation rotation_;
  JobTrace trace_;
  OutputOptions output_;
  KeepCommands keep_;
  DemoOptions demo_;
  TopOptions top_;
};

/// The command that was given last: "carillon", "carillon key", "carillon key create".
std::pair<const CLI::App*, std::string> deepest(const CLI::App& app) {
  const CLI::App* at = &app;
  std::string name = app.get_name();
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return {at, name};
}

/// What was given that nobody knows, with what may have been meant.
std::string unexpected(const CLI::App& app) {
  const auto [command, name] = deepest(app);
  std::vector<std::string> unknown = app.remaining(true);
  const std::string word = unknown.empty() ? "" : unknown.front().substr(0, unknown.front().find('='));
  std::vector<std::string> known;
  const bool is_flag = word.starts_with("-");
  if (is_flag) {
    for (const CLI::App* from : {&app, command}) {
      for (const CLI::Option* option : from->get_options()) known.push_back(option->get_name());
    }
  } else {
    for (const CLI::App* sub : command->get_subcommands({})) known.push_back(sub->get_name());
  }
  const char* what = is_flag ? "unknown option '" : known.empty() ? "unexpected argument '" : "unknown command '";
  return what + word + "'" + did_you_mean(nearest_word(word, known));
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  const auto [command, name] = deepest(app);
  // An unknown word is the reason why a command is missing, not the other way about.
  if (!app.remaining(true).empty()) return unexpected(app);
  if (!command->get_subcommands({}).empty()) return "which command? '" + name + " --help' lists them";
  return error.what() + std::string{" ('"} + name + " --help' shows the usage)";
}

}  // namespace

int run_command(const std::vector<std::string>& arguments, const Environment& environment, std::ostream& out,
                std::ostream& err) {
  CommandLine line(environment);
  try {
    line.app().parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForVersion& version) {
    out << version.what() << "\n";
    return exit_ok;
  } catch (const CLI::CallForHelp&) {
    out << line.app().help();
    return exit_ok;
  } catch (const CLI::Success&) {
    return exit_ok;
  } catch (const CLI::ParseError& error) {
    err << "carillon: " << usage_message(line.app(), error) << "\n";
    return exit_usage;
  }
  try {
    return line.action()(line.read_settings());
  } catch (const SettingsError& error) {
    err << "carillon: " << error.what() << "\n";
    return exit_usage;
  } catch (const std::exception& error) {
    err << "carillon: " << error.what() << "\n";
    return exit_failed;
  }
}

}  // namespace carillon::app
