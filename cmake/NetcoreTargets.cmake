# Functions that make netcore's own targets, so that all of them get the same warnings.

# C++20 without extensions, and every warning that is worth having.
function(netcore_configure target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  if(MSVC)
    target_compile_options(${target} PRIVATE /W4 /permissive- /utf-8 /Zc:__cplusplus)
    # getenv and fopen are no mistakes.
    target_compile_definitions(${target} PRIVATE _CRT_SECURE_NO_WARNINGS)
    if(NETCORE_WERROR)
      target_compile_options(${target} PRIVATE /WX)
    endif()
  else()
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      # gcc 12 misreads "text" + std::string (its bug 105651).
      target_compile_options(${target} PRIVATE -Wno-restrict)
    endif()
    if(NETCORE_WERROR)
      target_compile_options(${target} PRIVATE -Werror)
    endif()
  endif()
endfunction()

# netcore_compile_together(<target> [<batch>])
#
# Compiles the target's sources as one, or so many of them at a time: quicker, and what one calls of
# another is inlined. With NETCORE_UNITY_BUILD=OFF each is compiled by itself.
function(netcore_compile_together target)
  set(batch 0)
  if(ARGC GREATER 1)
    set(batch ${ARGV1})
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${NETCORE_UNITY_BUILD}
                                             UNITY_BUILD_BATCH_SIZE ${batch})
endfunction()

# netcore_add_sample(<name> <source>...)
#
# With what the samples share, command line and all.
function(netcore_add_sample name)
  add_executable(${name} ${ARGN})
  netcore_configure(${name})
  target_link_libraries(${name} PRIVATE netcore::netcore netcore_sample_common)
endfunction()

# netcore_add_benchmark(<name> <source>...)
function(netcore_add_benchmark name)
  add_executable(${name} ${ARGN})
  netcore_configure(${name})
  target_link_libraries(${name} PRIVATE netcore::netcore benchmark::benchmark_main)
endfunction()

# netcore_add_benchmark_program(<name> <source>...)
#
# A program that takes part in a benchmark, without Google Benchmark.
function(netcore_add_benchmark_program name)
  add_executable(${name} ${ARGN})
  netcore_configure(${name})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/benchmarks")
  target_link_libraries(${name} PRIVATE netcore::netcore CLI11::CLI11)
endfunction()

# netcore_configure_test(<target>)
#
# What a test program is made of. It takes longer to optimize than to run; the library that it tests
# is optimized as ever.
function(netcore_configure_test target)
  netcore_configure(${target})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  if(MSVC)
    target_compile_options(${target} PRIVATE /bigobj)
  else()
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
endfunction()

# netcore_add_test(<name> SOURCES <source>... [LIBRARIES <target>...] [TIMEOUT <seconds>])
#
# One program for one layer; each of its test cases is an entry of its own for ctest, named
# "<name>.<test case>", and has TIMEOUT seconds.
function(netcore_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBRARIES")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  add_executable(${name} ${arg_SOURCES})
  netcore_configure_test(${name})
  target_link_libraries(${name} PRIVATE netcore::netcore ${arg_LIBRARIES} Catch2::Catch2WithMain)
  target_precompile_headers(${name} REUSE_FROM netcore_test_header)
  netcore_compile_together(${name} 10)
  if(NETCORE_UNITY_TESTS)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON)
  endif()
  # A name that ctest got wrong must not pass as a run of nothing; Catch2 3 sees to that itself.
  set(no_tests_is_failure "")
  if(NOT netcore_catch2_is_3)
    set(no_tests_is_failure EXTRA_ARGS --warn NoTests)
  endif()
  catch_discover_tests(
    ${name}
    TEST_PREFIX "${name}." ${no_tests_is_failure}
    PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()
