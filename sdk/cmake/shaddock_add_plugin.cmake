set(SHADDOCK_PLUGIN_MAP "${CMAKE_CURRENT_LIST_DIR}/plugin.map" CACHE INTERNAL "Exports the door of a plugin and nothing else")

# A plugin: one module file <name>.so that exports the door and nothing else.
#
#   shaddock_add_plugin(chat SOURCES plugin.cpp ... [VERSION 1.2.0] [OUTPUT_DIRECTORY DIR] [LINK targets])
#
# OUTPUT_DIRECTORY: where the finished file stands, <build>/plugins by default. It is linked elsewhere and renamed into place, so that a host
# that watches the folder never sees half a file. The build id is the linker's. The target's property SHADDOCK_PLUGIN_FILE is its path.
# Sealed (each of these has a reason in docs/plugin-guide.md): one exported symbol, no STB_GNU_UNIQUE objects, nothing undefined.
function(shaddock_add_plugin name)
  cmake_parse_arguments(arg "" "VERSION;OUTPUT_DIRECTORY" "SOURCES;LINK" ${ARGN})
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "shaddock_add_plugin(${name}): SOURCES is missing")
  endif()
  if(NOT arg_VERSION)
    set(arg_VERSION "${PROJECT_VERSION}")
  endif()
  if(NOT arg_OUTPUT_DIRECTORY)
    set(arg_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins")
  endif()

  add_library(${name} MODULE ${arg_SOURCES})
  set(linked_in "${CMAKE_CURRENT_BINARY_DIR}/linked")
  set(finished "${arg_OUTPUT_DIRECTORY}/${name}.so")
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" OUTPUT_NAME "${name}" DEFINE_SYMBOL SHADDOCK_MODULE
    LIBRARY_OUTPUT_DIRECTORY "${linked_in}"
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON
    LINK_DEPENDS "${SHADDOCK_PLUGIN_MAP}"
    SHADDOCK_PLUGIN_FILE "${finished}"
    SHADDOCK_PLUGIN_LINK "${arg_LINK}")
  target_link_libraries(${name} PRIVATE shaddock::sdk ${arg_LINK})
  target_compile_definitions(${name} PRIVATE SHADDOCK_PLUGIN_VERSION="${arg_VERSION}")
  # g++ 12 takes Asio's coroutine frames for mismatched new and delete; it clears up after itself too often, which costs a twelfth of the time.
  target_compile_options(${name} PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique -Wno-mismatched-new-delete>
    $<$<CXX_COMPILER_ID:GNU>:SHELL:--param ggc-min-heapsize=524288>)
  # clang leaves a sanitizer's runtime to the executable, so a module of it cannot be complete.
  set(complete -Wl,-z,defs)
  if(SHADDOCK_SANITIZE AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    set(complete "")
  endif()
  shaddock_sanitize_as_host(${name})
  target_link_options(${name} PRIVATE
    "-Wl,--version-script=${SHADDOCK_PLUGIN_MAP}" -Wl,--exclude-libs,ALL -Wl,--build-id=sha1 ${complete})
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E make_directory "${arg_OUTPUT_DIRECTORY}"
    COMMAND ${CMAKE_COMMAND} -E copy "$<TARGET_FILE:${name}>" "${finished}.new"
    COMMAND chmod go-w "${finished}.new" # the host opens no module that others may write
    COMMAND ${CMAKE_COMMAND} -E rename "${finished}.new" "${finished}"
    BYPRODUCTS "${finished}" COMMENT "Finished ${finished}" VERBATIM)
endfunction()

# Tests of a plugin with the SDK's fakes and GoogleTest: the plugin's own objects and the test's files. Every TEST is a ctest test.
#
#   shaddock_add_plugin_test(chat_test PLUGIN chat SOURCES tests/chat_test.cpp ... [LINK targets])
#
# A test includes what the plugin does: the plugin's folder and include folders are the test's, too.
function(shaddock_add_plugin_test name)
  cmake_parse_arguments(arg "" "PLUGIN" "SOURCES;LINK" ${ARGN})
  if(NOT arg_SOURCES OR NOT TARGET "${arg_PLUGIN}")
    message(FATAL_ERROR "shaddock_add_plugin_test(${name}): SOURCES is missing, or PLUGIN '${arg_PLUGIN}' is not a plugin of this project")
  endif()
  find_package(GTest REQUIRED)
  include(GoogleTest)
  get_target_property(plugin_link ${arg_PLUGIN} SHADDOCK_PLUGIN_LINK)
  add_executable(${name} ${arg_SOURCES} $<TARGET_OBJECTS:${arg_PLUGIN}>)
  target_link_libraries(${name} PRIVATE shaddock::sdk GTest::gmock GTest::gtest_main ${plugin_link} ${arg_LINK})
  target_include_directories(${name} PRIVATE
    $<TARGET_PROPERTY:${arg_PLUGIN},SOURCE_DIR> $<TARGET_PROPERTY:${arg_PLUGIN},INCLUDE_DIRECTORIES>)
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
  shaddock_sanitize_as_host(${name})
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 60)
endfunction()

# Outside of the host's own tree: the sanitizers that the host was built with.
function(shaddock_sanitize_as_host name)
  if(SHADDOCK_SANITIZE_PLUGINS)
    target_compile_options(${name} PRIVATE -fsanitize=${SHADDOCK_SANITIZE_PLUGINS} -fno-sanitize=vptr -fno-omit-frame-pointer)
    target_link_options(${name} PRIVATE -fsanitize=${SHADDOCK_SANITIZE_PLUGINS})
  endif()
endfunction()
