# What `cmake --install` puts where: headers, static libraries, a CMake package (netcore::netcore,
# netcore::sim), and netcore.pc. All of it may be moved afterwards.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(netcore_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/netcore")

# Nothing is listed, so nothing is forgotten. Left out is what shows the system or brings fmt; that
# no other header includes it, tests/consumer sees to.
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/netcore/"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/netcore"
  FILES_MATCHING
  PATTERN "*.h"
  PATTERN "port/linux" EXCLUDE
  PATTERN "port/windows" EXCLUDE
  PATTERN "*log_format.h" EXCLUDE)

set_target_properties(netcore_sim PROPERTIES EXPORT_NAME sim)
if(MSVC) # its Debug and Release can't be mixed, and may be installed to one place
  set_target_properties(netcore netcore_sim PROPERTIES DEBUG_POSTFIX d)
endif()
install(
  TARGETS netcore netcore_sim
  EXPORT netcoreTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(
  EXPORT netcoreTargets
  NAMESPACE netcore::
  DESTINATION "${netcore_package_dir}")

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/netcoreConfig.cmake.in" "${PROJECT_BINARY_DIR}/netcoreConfig.cmake"
  INSTALL_DESTINATION "${netcore_package_dir}"
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break what the one before it promised.
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/netcoreConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(
  FILES "${PROJECT_BINARY_DIR}/netcoreConfig.cmake"
        "${PROJECT_BINARY_DIR}/netcoreConfigVersion.cmake"
        "${CMAKE_CURRENT_LIST_DIR}/FindNetcoreLiburing.cmake"
  DESTINATION "${netcore_package_dir}")

# For who builds without CMake.
if(NOT MSVC)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(netcore_pc_prefix "${CMAKE_INSTALL_PREFIX}")
  else() # from where the file lies
    cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY
               "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE netcore_pc_prefix)
    string(PREPEND netcore_pc_prefix "\${pcfiledir}/")
  endif()
  cmake_path(APPEND netcore_pc_includedir "\${prefix}" "${CMAKE_INSTALL_INCLUDEDIR}")
  cmake_path(APPEND netcore_pc_libdir "\${prefix}" "${CMAKE_INSTALL_LIBDIR}")
  if(WIN32)
    set(netcore_pc_requires fmt)
    set(netcore_pc_flags "")
    set(netcore_pc_libs " -lws2_32 -lmswsock")
  else()
    set(netcore_pc_requires "fmt, liburing")
    set(netcore_pc_flags " -pthread")
    set(netcore_pc_libs " -pthread")
  endif()
  configure_file(
    "${CMAKE_CURRENT_LIST_DIR}/netcore.pc.in" "${PROJECT_BINARY_DIR}/netcore.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/netcore.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endif()
