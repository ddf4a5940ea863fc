#include "app/generated_texts.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <string_view>
#include <vector>

#include "app/settings_sources.h"
#include "app/settings_table.h"

namespace carillon::app {
namespace {

/// Calls `visit` for a command and all below it, with its full name: "carillon key create".
void visit_commands(const CLI::App& app, const std::string& name,
                    const std::function<void(const CLI::App&, const std::string&)>& visit) {
  visit(app, name);
  for (const CLI::App* sub : app.get_subcommands({})) visit_commands(*sub, name + " " + sub->get_name(), visit);
}

bool is_setting(const CLI::Option& option) { return option.get_group() == settings_group; }

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

// --- bash ------------------------------------------------------------------------------------------------------------

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    if (is_setting(*option)) continue;
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

std::vector<std::string> names_below(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands({})) names.push_back(sub->get_name());
  return names;
}

// --- man(7) ----------------------------------------------------------------------------------------------------------

/// So that it stands there as it is.
std::string roff(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'' || (c == '.' && out.empty())) {
      out += c == '\'' ? "\\(aq" : "\\&.";
    } else if (text.substr(i).starts_with("…")) {
      out += "...";
      i += std::string_view("…").size() - 1;
    } else {
      out += c;
    }
  }
  return out;
}

std::string entry(const std::string& head, std::string_view body) {
  return ".TP\n.B " + roff(head) + "\n" + roff(body) + "\n";
}

std::string option_head(const CLI::Option& option) {
  std::string head;
  for (const std::string& name : option.get_snames()) head += (head.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) head += (head.empty() ? "--" : ", --") + name;
  if (head.empty()) return option.get_name();
  const std::string type = option.get_type_name();
  return option.get_items_expected_max() > 0 && !type.empty() ? head + " " + type : head;
}

/// "NAME" of each argument that has a place.
std::string usage_of(const CLI::App& command, const std::string& name) {
  std::string usage = name;
  if (!command.get_subcommands({}).empty()) return usage + " COMMAND";
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) usage += " " + option->get_name();
  }
  return usage;
}

std::string described(const CLI::App& command, const std::string& name) {
  std::string out = ".SS " + roff(usage_of(command, name)) + "\n" + roff(command.get_description()) + "\n";
  for (const CLI::Option* option : command.get_options()) {
    if (is_setting(*option) || option->get_name() == "--help") continue;
    out += entry(option_head(*option), option->get_description());
  }
  return out;
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string commands;
  std::string choices;
  visit_commands(app, app.get_name(), [&](const CLI::App& command, const std::string& name) {
    commands += "    '" + name + "') names='" + joined(names_below(command), " ") + "' flags='" +
                joined(flags_of(command), " ") + "' ;;\n";
  });
  choices += "    --role) words='client worker admin' ;;\n    --status) words='pending delivered failed' ;;\n";
  std::vector<std::string> settings = {"--config"};
  std::vector<std::string> files = {"--config", "--data"};
  for (const Setting& setting : settings_table()) {
    settings.push_back(setting.flag());
    if (!setting.words.empty())
      choices += "    " + setting.flag() + ") words='" + joined(setting.words, " ") + "' ;;\n";
    if (setting.wanted.find(" file") != std::string::npos) files.push_back(setting.flag());
  }
  return "# bash completion for carillon; written by 'carillon generate bash-completion'.\n"
         "_carillon() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local at=carillon names='' flags='' words='' i\n"
         "  local settings='" +
         joined(settings, " ") +
         "'\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    _carillon_at \"$at\"\n"
         "    [[ \" $names \" == *\" ${COMP_WORDS[i]} \"* ]] && at+=\" ${COMP_WORDS[i]}\"\n"
         "  done\n"
         "  _carillon_at \"$at\"\n"
         "  case $previous in\n" +
         choices + "    " + joined(files, "|") +
         ") compopt -o default; COMPREPLY=(); return ;;\n"
         "  esac\n"
         "  if [ -n \"$words\" ]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "  elif [[ $current == -* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$flags $settings\" -- \"$current\")\n"
         "  else\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$names\" -- \"$current\")\n"
         "    [ -n \"$names\" ] || compopt -o default\n"
         "  fi\n"
         "}\n"
         "# What can follow a command: sets names and flags of its caller.\n"
         "_carillon_at() {\n"
         "  case $1 in\n" +
         commands +
         "    *) names='' flags='' ;;\n"
         "  esac\n"
         "}\n"
         "complete -F _carillon carillon\n";
}

std::string manual_page(const CLI::App& app) {
  std::string out =
      ".\\\" Written by 'carillon generate manual-page'.\n"
      ".TH CARILLON 1 \"\" \"carillon " CARILLON_VERSION
      "\" \"User Commands\"\n"
      ".SH NAME\ncarillon \\- notification hub: one job status change, rung on every channel\n"
      ".SH SYNOPSIS\n.B carillon\n.I COMMAND\n[options] [settings]\n"
      ".SH DESCRIPTION\n"
      "A backend reports each status change of a job once, over HTTP; everyone entitled to know hears of "
      "it in the way they chose: over a WebSocket at once, by webhook at least once, or by polling. All "
      "that the hub keeps lies in one data directory. Every command works while the hub runs.\n"
      ".SH COMMANDS\n";
  visit_commands(app, app.get_name(), [&](const CLI::App& command, const std::string& name) {
    if (command.get_subcommands({}).empty()) out += described(command, name);
  });
  out +=
      ".SH SETTINGS\n"
      "Each is a flag, an environment variable and a key of the settings file (TOML), in this order of precedence: "
      "\\-\\-webhooks\\-allow\\-http, CARILLON_WEBHOOKS_ALLOW_HTTP, and allow_http in [webhooks].\n";
  const Settings defaults;
  out += entry("--config FILE", "The settings file.");
  for (const Setting& setting : settings_table()) {
    out += entry(setting.flag(), std::string(setting.help) + " Must be " + setting.wanted + "; default " +
                                     setting.show(defaults) + ".");
  }
  return out + ".SH FILES\n" +
         entry("/etc/carillon/carillon.toml", "The settings file, where Carillon was installed as a Debian package.") +
         entry("/var/lib/carillon",
               "The data directory, there: database, key of the webhooks' secrets, control socket.") +
         ".SH SIGNALS\n" +
         entry("SIGTERM, SIGINT", "End: WebSockets are told, what was taken is written. A second one ends at once.") +
         entry("SIGHUP",
               "Read the settings, the certificate and its key anew; what waits for a restart is named in the log.") +
         ".SH EXIT STATUS\n" + entry("0", "All is well.") + entry("1", "It failed; one line says why.") +
         entry("2", "The command line, the environment or the settings file is wrong; one line says where.");
}

std::string settings_reference() {
  std::string out =
      "# Settings\n\n"
      "<!-- Written by `carillon generate settings-reference`; a test holds it to the program. -->\n\n"
      "A flag goes before its environment variable, that before the settings file, that before the default. The key\n"
      "`allow_http` in `[webhooks]` is the flag `--webhooks-allow-http` and the variable "
      "`CARILLON_WEBHOOKS_ALLOW_HTTP`, and so on.\n"
      "The settings file is that of `--config` or `CARILLON_CONFIG`, else that of the installation\n"
      "(`/etc/carillon/carillon.toml` of the Debian package, `etc/carillon.toml` of the tarball). An unknown key or a "
      "wrong value\nends the program with exit code 2 and a line that names file, line, key and what is allowed; "
      "`carillon check` tells without\nstarting anything. Sizes are in bytes; the end of a key says the unit of a "
      "time: "
      "`_s` seconds, `_ms` milliseconds.\n\n"
      "SIGHUP (`systemctl reload carillon`) has a running hub read them all anew, the certificate and its key too. "
      "What "
      "`reload`\nsays yes to it takes at once, for what is connected as well; of anything else that was changed the "
      "log "
      "says that it waits\nfor a restart. Where a line is no good, the log says which, and nothing is changed. A flag "
      "or "
      "a variable that the hub was\nstarted with goes before the file then too.\n";
  const Settings defaults;
  std::string_view section = "none yet";
  for (const Setting& setting : settings_table()) {
    if (setting.section() != section) {
      section = setting.section();
      out += section.empty() ? "\n## Without a section\n" : "\n## [" + std::string(section) + "]\n";
      out += "\n| key | default | reload | must be | effect |\n| --- | --- | --- | --- | --- |\n";
    }
    out += "| `" + std::string(setting.name()) + "`" + " | `" + cell(setting.show(defaults)) + "` | " +
           (setting.reloads ? "yes" : "restart") + " | " + cell(setting.wanted) + " | " + cell(setting.help) + " |\n";
  }
  return out;
}

}  // namespace carillon::app
