#include "app/installation.h"

#include <filesystem>
#include <system_error>

namespace carillon::app {

std::optional<std::string> settings_file_beside(const std::string& program) {
  const std::filesystem::path folder = std::filesystem::path(program).parent_path();
  if (folder.filename() != "bin") return std::nullopt;
  const std::filesystem::path prefix = folder.parent_path();
  if (prefix == "/usr") return "/etc/carillon/carillon.toml";
  return (prefix / "etc" / "carillon.toml").string();
}

std::optional<std::string> installed_settings_file() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return std::nullopt;
  auto file = settings_file_beside(program.string());
  if (file && !std::filesystem::exists(*file, error)) file.reset();
  return file;
}

}  // namespace carillon::app
