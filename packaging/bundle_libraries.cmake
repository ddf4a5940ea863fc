# Run by cpack on the tarball's tree before it is packed: puts beside the program the shared libraries that it needs, all but
# those of glibc, which belong to the system's kernel and loader, and the licences of the packages that they are from.
set(prefix ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(program ${prefix}/bin/carillon)

file(GET_RUNTIME_DEPENDENCIES
  EXECUTABLES ${program}
  RESOLVED_DEPENDENCIES_VAR libraries
  UNRESOLVED_DEPENDENCIES_VAR missing
  POST_EXCLUDE_REGEXES "/ld-linux[^/]*$" "/lib(c|m|dl|rt|pthread|resolv)\\.so[^/]*$")
if(missing)
  message(FATAL_ERROR "shared libraries that are not found: ${missing}")
endif()

foreach(library IN LISTS libraries)
  file(INSTALL ${library} DESTINATION ${prefix}/lib FOLLOW_SYMLINK_CHAIN)
  # Found under the name that it was installed as, which a merged /usr has twice.
  file(REAL_PATH ${library} real)
  set(package "")
  foreach(name ${real} ${library})
    if(NOT package)
      execute_process(COMMAND dpkg-query -S ${name} OUTPUT_VARIABLE owner ERROR_QUIET)
      string(REGEX MATCH "^[^:,]+" package "${owner}")
    endif()
    string(REGEX REPLACE "^/usr" "" name "${name}")
    if(NOT package)
      execute_process(COMMAND dpkg-query -S ${name} OUTPUT_VARIABLE owner ERROR_QUIET)
      string(REGEX MATCH "^[^:,]+" package "${owner}")
    endif()
  endforeach()
  if(package AND EXISTS /usr/share/doc/${package}/copyright)
    file(COPY_FILE /usr/share/doc/${package}/copyright ${prefix}/share/doc/carillon/licences-${package})
  endif()
endforeach()
