if(NOT SHADDOCK_TESTS)
  return()
endif()
find_package(GTest REQUIRED)

# What all test files include, compiled once.
file(WRITE ${CMAKE_BINARY_DIR}/generated/test_pch.cpp "// Carries the precompiled headers of the tests.\n")
add_library(shaddock_test_pch OBJECT ${CMAKE_BINARY_DIR}/generated/test_pch.cpp)
target_link_libraries(shaddock_test_pch PRIVATE shaddock_options GTest::gmock)
target_compile_options(shaddock_test_pch PRIVATE -O0)
set_target_properties(shaddock_test_pch PROPERTIES POSITION_INDEPENDENT_CODE OFF)
target_precompile_headers(shaddock_test_pch PRIVATE
  <algorithm> <chrono> <cstdint> <filesystem> <fstream> <functional> <map> <memory> <optional> <set> <sstream> <string> <string_view> <vector>
  <gmock/gmock.h> <gtest/gtest.h>)

# A test executable; every TEST in it becomes a ctest test named <suite>.<name>.
#
#   shaddock_test(unit_protocol SOURCES package_test.cpp ... LINK shaddock_protocol [LABELS unit] [TIMEOUT 60])
function(shaddock_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK;LABELS;PROPERTIES" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE shaddock_options GTest::gmock GTest::gtest_main ${arg_LINK})
  target_compile_definitions(${name} PRIVATE
    SHADDOCK_TEST_SOURCE_DIR="${CMAKE_SOURCE_DIR}" SHADDOCK_TEST_BINARY_DIR="${CMAKE_BINARY_DIR}")
  # The code under test is optimised, the tests need not be: they compile twice as fast.
  target_compile_options(${name} PRIVATE -O0)
  target_precompile_headers(${name} REUSE_FROM shaddock_test_pch)
  if(arg_LABELS MATCHES "unit|contract|cluster")
    # What scripts/test builds for ThreadSanitizer.
    if(NOT TARGET threads)
      add_custom_target(threads)
    endif()
    add_dependencies(threads ${name})
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}" ${arg_PROPERTIES})
endfunction()
