# Finds liburing, which has no CMake package of its own, as netcore::liburing. An installed netcore
# brings this file along, as its users link liburing too.
#
# The static library comes first: a server then needs no liburing where it runs.
find_path(LIBURING_INCLUDE_DIR liburing.h)
find_library(LIBURING_LIBRARY NAMES liburing.a uring)
mark_as_advanced(LIBURING_INCLUDE_DIR LIBURING_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(NetcoreLiburing DEFAULT_MSG LIBURING_LIBRARY LIBURING_INCLUDE_DIR)

if(NetcoreLiburing_FOUND AND NOT TARGET netcore::liburing)
  add_library(netcore::liburing INTERFACE IMPORTED)
  target_include_directories(netcore::liburing SYSTEM INTERFACE "${LIBURING_INCLUDE_DIR}")
  target_link_libraries(netcore::liburing INTERFACE "${LIBURING_LIBRARY}")
endif()
