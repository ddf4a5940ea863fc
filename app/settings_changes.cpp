#include "app/settings_changes.h"

#include "app/settings_table.h"

namespace carillon::app {
namespace {

std::string shown(const Setting& setting, const Settings& settings) {
  std::string text = setting.show(settings);
  if (setting.shape == SettingShape::text) text = text.substr(1, text.size() - 2);
  return text;
}

bool is_of_tls(std::string_view key) { return key == "tls_cert" || key == "tls_key"; }

}  // namespace

SettingChanges changes_between(const Settings& running, const Settings& wanted) {
  SettingChanges changes{running, {}, {}};
  const bool tls_comes_or_goes = running.tls_cert.empty() != wanted.tls_cert.empty();
  for (const Setting& setting : settings_table()) {
    SettingChange change{setting.key, shown(setting, running), shown(setting, wanted)};
    if (change.from == change.to) continue;
    if (!setting.reloads || (tls_comes_or_goes && is_of_tls(setting.key))) {
      changes.waiting.push_back(std::move(change));
      continue;
    }
    setting.take(changes.settings, wanted);
    changes.taken.push_back(std::move(change));
  }
  return changes;
}

}  // namespace carillon::app
