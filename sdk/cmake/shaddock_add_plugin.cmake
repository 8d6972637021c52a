set(SHADDOCK_PLUGIN_MAP "${CMAKE_CURRENT_LIST_DIR}/plugin.map" CACHE INTERNAL "Exports the door of a plugin and nothing else")

# A plugin: one module file <name>.so that exports the door and nothing else.
#
#   shaddock_add_plugin(chat SOURCES plugin.cpp ... [VERSION 1.2.0] [OUTPUT_DIRECTORY DIR] [LINK targets])
#
# OUTPUT_DIRECTORY: where the finished file stands, <build>/plugins by default. It is linked elsewhere and renamed into place, so that who
# watches the folder never sees half a file. The build id is the linker's. The target's property SHADDOCK_PLUGIN_FILE is its path.
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
    PREFIX "" SUFFIX ".so" OUTPUT_NAME "${name}"
    LIBRARY_OUTPUT_DIRECTORY "${linked_in}"
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON
    LINK_DEPENDS "${SHADDOCK_PLUGIN_MAP}"
    SHADDOCK_PLUGIN_FILE "${finished}")
  target_link_libraries(${name} PRIVATE shaddock::sdk ${arg_LINK})
  target_compile_definitions(${name} PRIVATE SHADDOCK_PLUGIN_VERSION="${arg_VERSION}")
  # g++ 12 takes Asio's coroutine frames for mismatched new and delete.
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique -Wno-mismatched-new-delete>)
  # clang leaves a sanitizer's runtime to the executable, so a module of it cannot be complete.
  set(complete -Wl,-z,defs)
  if(SHADDOCK_SANITIZE AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    set(complete "")
  endif()
  target_link_options(${name} PRIVATE
    "-Wl,--version-script=${SHADDOCK_PLUGIN_MAP}" -Wl,--exclude-libs,ALL -Wl,--build-id=sha1 ${complete})
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E make_directory "${arg_OUTPUT_DIRECTORY}"
    COMMAND ${CMAKE_COMMAND} -E copy "$<TARGET_FILE:${name}>" "${finished}.new"
    COMMAND chmod go-w "${finished}.new" # the host opens no module that others may write
    COMMAND ${CMAKE_COMMAND} -E rename "${finished}.new" "${finished}"
    BYPRODUCTS "${finished}" COMMENT "Finished ${finished}" VERBATIM)
endfunction()
