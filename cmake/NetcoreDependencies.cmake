# What netcore is built with. Each is looked for in the system first (or in vcpkg) and fetched in a
# pinned version otherwise. A cross build, to which the system's libraries mean nothing, takes its
# sources from NETCORE_DEPS_DIR where scripts/test has put them.
include(FetchContent)

# Older projects among them would take our settings of their options for none.
set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)

if(CMAKE_CROSSCOMPILING)
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(netcore_cache "$ENV{XDG_CACHE_HOME}/netcore")
  else()
    set(netcore_cache "$ENV{HOME}/.cache/netcore")
  endif()
  set(NETCORE_DEPS_DIR "${netcore_cache}/deps" CACHE PATH "Sources for a cross build")
endif()

# Sets `netcore_source_<name>` for FetchContent where NETCORE_DEPS_DIR has sources of that name.
macro(netcore_use_local_source name)
  string(TOUPPER "${name}" netcore_upper_name)
  if(NETCORE_DEPS_DIR AND EXISTS "${NETCORE_DEPS_DIR}/${name}/CMakeLists.txt")
    set(FETCHCONTENT_SOURCE_DIR_${netcore_upper_name} "${NETCORE_DEPS_DIR}/${name}")
  endif()
endmacro()

macro(netcore_need_fmt)
  if(NOT TARGET fmt::fmt)
    netcore_use_local_source(fmt)
    if(NETCORE_INSTALL) # with a fetched fmt, which netcore's users link too
      set(FMT_INSTALL ON)
    endif()
    FetchContent_Declare(
      fmt
      GIT_REPOSITORY https://github.com/fmtlib/fmt.git
      GIT_TAG 0c9fce2ffefecfdce794e1859584e25877b7b592 # 11.0.2
      SYSTEM
      FIND_PACKAGE_ARGS)
    FetchContent_MakeAvailable(fmt)
  endif()
endmacro()

macro(netcore_need_catch2)
  if(NOT TARGET Catch2::Catch2WithMain)
    netcore_use_local_source(Catch2)
    # Catch2 2 makes its main only when asked; Catch2 3 always does.
    set(CATCH_BUILD_STATIC_LIBRARY ON)
    FetchContent_Declare(
      Catch2
      GIT_REPOSITORY https://github.com/catchorg/Catch2.git
      GIT_TAG fa43b77429ba76c462b1898d6cd2f2d7a9416b14 # 3.7.1
      SYSTEM
      FIND_PACKAGE_ARGS)
    FetchContent_MakeAvailable(Catch2)
  endif()
  # Fetched sources keep catch_discover_tests in extras/ (version 3) or contrib/ (version 2).
  set(netcore_catch2_is_3 OFF)
  if(Catch2_VERSION VERSION_GREATER_EQUAL 3 OR EXISTS "${catch2_SOURCE_DIR}/extras/Catch.cmake")
    set(netcore_catch2_is_3 ON)
  endif()
  if(catch2_SOURCE_DIR)
    list(APPEND CMAKE_MODULE_PATH "${catch2_SOURCE_DIR}/extras" "${catch2_SOURCE_DIR}/contrib")
  endif()
  include(Catch)
endmacro()

macro(netcore_need_benchmark)
  if(NOT TARGET benchmark::benchmark_main)
    netcore_use_local_source(benchmark)
    set(BENCHMARK_ENABLE_TESTING OFF)
    set(BENCHMARK_ENABLE_INSTALL OFF)
    set(BENCHMARK_ENABLE_WERROR OFF)
    if(CMAKE_CROSSCOMPILING) # what the project would find out by running programs
      set(HAVE_STD_REGEX ON)
      set(HAVE_STEADY_CLOCK ON)
      set(GIT_VERSION "0.0.0")
    endif()
    FetchContent_Declare(
      benchmark
      GIT_REPOSITORY https://github.com/google/benchmark.git
      GIT_TAG 12235e24652fc7f809373e7c11a5f73c5763fc4c # 1.9.0
      SYSTEM
      FIND_PACKAGE_ARGS)
    FetchContent_MakeAvailable(benchmark)
  endif()
endmacro()

macro(netcore_need_cli11)
  if(NOT TARGET CLI11::CLI11)
    if(NETCORE_DEPS_DIR AND EXISTS "${NETCORE_DEPS_DIR}/include/CLI/CLI.hpp")
      add_library(CLI11::CLI11 INTERFACE IMPORTED)
      target_include_directories(CLI11::CLI11 SYSTEM INTERFACE "${NETCORE_DEPS_DIR}/include")
    else()
      FetchContent_Declare(
        CLI11
        GIT_REPOSITORY https://github.com/CLIUtils/CLI11.git
        GIT_TAG 6c7b07a878ad834957b98d0f9ce1dbe0cb204fc9 # 2.4.2
        SYSTEM
        FIND_PACKAGE_ARGS)
      FetchContent_MakeAvailable(CLI11)
    endif()
  endif()
endmacro()

# Its package's target has had two names, and lies in a folder of its own in a cross build.
macro(netcore_need_utfcpp)
  if(NOT TARGET netcore_utfcpp)
    add_library(netcore_utfcpp INTERFACE)
    if(NETCORE_DEPS_DIR AND EXISTS "${NETCORE_DEPS_DIR}/include/utf8.h")
      target_include_directories(netcore_utfcpp SYSTEM INTERFACE "${NETCORE_DEPS_DIR}/include")
    else()
      FetchContent_Declare(
        utf8cpp
        GIT_REPOSITORY https://github.com/nemtrif/utfcpp.git
        GIT_TAG 6be08bbea14ffa0a5c594257fb6285a054395cd7 # 4.0.4
        SYSTEM
        FIND_PACKAGE_ARGS)
      FetchContent_MakeAvailable(utf8cpp)
      if(TARGET utf8cpp::utf8cpp)
        target_link_libraries(netcore_utfcpp INTERFACE utf8cpp::utf8cpp)
      else()
        target_link_libraries(netcore_utfcpp INTERFACE utf8cpp)
      endif()
    endif()
  endif()
endmacro()

# Of headers alone, as the next one.
macro(netcore_need_json)
  if(NOT TARGET netcore_json)
    add_library(netcore_json INTERFACE)
    if(NETCORE_DEPS_DIR AND EXISTS "${NETCORE_DEPS_DIR}/include/nlohmann/json.hpp")
      target_include_directories(netcore_json SYSTEM INTERFACE "${NETCORE_DEPS_DIR}/include")
    else()
      FetchContent_Declare(
        nlohmann_json
        GIT_REPOSITORY https://github.com/nlohmann/json.git
        GIT_TAG 9cca280a4d0ccf0c08f47a99aa71d1b0e52f8d03 # 3.11.3
        SYSTEM
        FIND_PACKAGE_ARGS)
      FetchContent_MakeAvailable(nlohmann_json)
      target_link_libraries(netcore_json INTERFACE nlohmann_json::nlohmann_json)
    endif()
  endif()
endmacro()

# Debian's has no CMake package, and no library is linked: the functions are inlined.
macro(netcore_need_xxhash)
  if(NOT TARGET netcore_xxhash)
    find_path(XXHASH_INCLUDE_DIR xxhash.h)
    mark_as_advanced(XXHASH_INCLUDE_DIR)
    set(netcore_xxhash_folder "${XXHASH_INCLUDE_DIR}")
    if(NETCORE_DEPS_DIR AND EXISTS "${NETCORE_DEPS_DIR}/include/xxhash.h")
      set(netcore_xxhash_folder "${NETCORE_DEPS_DIR}/include")
    elseif(NOT XXHASH_INCLUDE_DIR)
      FetchContent_Declare(
        xxhash
        GIT_REPOSITORY https://github.com/Cyan4973/xxHash.git
        GIT_TAG bbb27a5efb85b92a0486cf361a8635715a53f6ba # 0.8.2
        SOURCE_SUBDIR headers-alone)
      FetchContent_MakeAvailable(xxhash)
      set(netcore_xxhash_folder "${xxhash_SOURCE_DIR}")
    endif()
    add_library(netcore_xxhash INTERFACE)
    target_include_directories(netcore_xxhash SYSTEM INTERFACE "${netcore_xxhash_folder}")
    target_compile_definitions(netcore_xxhash INTERFACE XXH_INLINE_ALL)
  endif()
endmacro()

macro(netcore_need_liburing)
  find_package(NetcoreLiburing REQUIRED)
endmacro()
