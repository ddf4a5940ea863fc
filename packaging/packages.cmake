# What is installed, and the two packages that cpack makes of it:
#
#   carillon_VERSION_amd64.deb                  for Debian 12, with what it needs from Debian
#   carillon-VERSION-linux-x86_64.tar.gz        to be unpacked anywhere, with all shared libraries but those of glibc
include(GNUInstallDirs)

set(generated ${PROJECT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})

# Found beside the program, wherever that is: in the tarball its own libraries, on a Debian system /usr/lib. An RPATH and no
# RUNPATH, for it is to hold for what the libraries need of each other too.
set_target_properties(carillon PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
target_link_options(carillon PRIVATE LINKER:--disable-new-dtags)

add_custom_command(
  OUTPUT ${generated}/carillon.1.gz ${generated}/carillon.bash
  COMMAND carillon generate manual-page > ${generated}/carillon.1
  COMMAND gzip -9nf ${generated}/carillon.1
  COMMAND carillon generate bash-completion > ${generated}/carillon.bash
  DEPENDS carillon
  VERBATIM)
add_custom_target(carillon_texts ALL DEPENDS ${generated}/carillon.1.gz ${generated}/carillon.bash)

# The settings file of an installed system says where its data is; all else is the file in etc/.
file(READ ${PROJECT_SOURCE_DIR}/etc/carillon.toml settings)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/etc/carillon.toml)
string(REPLACE "#data = \"carillon-data\"" "data = \"/var/lib/carillon\"" settings_installed "${settings}")
file(WRITE ${generated}/carillon.toml "${settings_installed}")

install(TARGETS carillon DESTINATION bin COMPONENT program)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION share/doc/carillon COMPONENT program)
install(DIRECTORY docs/ DESTINATION share/doc/carillon/docs COMPONENT program)
install(FILES ${generated}/carillon.1.gz DESTINATION share/man/man1 COMPONENT program)
install(FILES ${generated}/carillon.bash DESTINATION share/bash-completion/completions RENAME carillon COMPONENT program)

# Absolute, so that the prefix does not matter.
install(FILES ${generated}/carillon.toml DESTINATION /etc/carillon COMPONENT debian)
install(FILES etc/systemd/carillon.service etc/systemd/carillon.socket DESTINATION /lib/systemd/system COMPONENT debian)
install(FILES packaging/debian/copyright DESTINATION share/doc/carillon COMPONENT debian)

install(FILES etc/carillon.toml DESTINATION etc COMPONENT tarball)
install(DIRECTORY etc/systemd DESTINATION etc COMPONENT tarball)

set(CPACK_PACKAGE_NAME carillon)
set(CPACK_PACKAGE_VENDOR Carillon)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "notification hub for the status changes of jobs")
set(CPACK_PACKAGE_DESCRIPTION
    "A backend reports each status change of a job once, over HTTP; everyone\nentitled to know hears of it over a WebSocket at once, by webhook at least\nonce, or by polling. One program, one data directory.")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_STRIP_FILES ON)
set(CPACK_ARCHIVE_COMPONENT_INSTALL OFF)
set(CPACK_DEB_COMPONENT_INSTALL OFF)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/packaging/each_package.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "Carillon <carillon@localhost>")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/packaging/debian/postinst ${PROJECT_SOURCE_DIR}/packaging/debian/prerm
    ${PROJECT_SOURCE_DIR}/packaging/debian/postrm ${PROJECT_SOURCE_DIR}/packaging/debian/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
