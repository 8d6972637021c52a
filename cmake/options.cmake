# How our own code is compiled. Linked PRIVATE by every target of this tree, never exported.
add_library(shaddock_options INTERFACE)
target_compile_features(shaddock_options INTERFACE cxx_std_20)
# -fno-gnu-unique is GCC's; clang has no such objects.
target_compile_options(shaddock_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -fvisibility=hidden -fvisibility-inlines-hidden
  # g++ 12 takes the frame allocator of Asio's awaitable for mismatched.
  $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique -Wno-mismatched-new-delete>
  # g++ begins to collect its garbage at 512 MiB: 5 to 10 % less CPU time, for 300 MB more of a compiler that has a whole room.
  $<$<CXX_COMPILER_ID:GNU>:SHELL:--param ggc-min-heapsize=524288>)
# Of a batch of files compiled as one these speak of the batch, not of a file.
if(CMAKE_UNITY_BUILD)
  target_compile_options(shaddock_options INTERFACE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
if(SHADDOCK_WERROR)
  target_compile_options(shaddock_options INTERFACE -Werror)
endif()

# Sanitizers reach plugins too: host and plugin must agree (the fingerprint checks it).
add_library(shaddock_sanitizers INTERFACE)
if(SHADDOCK_SANITIZE)
  target_compile_options(shaddock_sanitizers INTERFACE -fsanitize=${SHADDOCK_SANITIZE} -fno-omit-frame-pointer)
  if(SHADDOCK_SANITIZE MATCHES "undefined")
    # Not vptr: it opens a pipe for each look, and a test shows what happens when no descriptor is left.
    target_compile_options(shaddock_sanitizers INTERFACE -fno-sanitize-recover=undefined -fno-sanitize=vptr)
  endif()
  if(SHADDOCK_SANITIZE MATCHES "thread")
    # g++ 12 warns that TSan does not model Asio's fences; our code shares no memory between threads.
    target_compile_options(shaddock_sanitizers INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
  target_link_options(shaddock_sanitizers INTERFACE -fsanitize=${SHADDOCK_SANITIZE})
endif()
target_link_libraries(shaddock_options INTERFACE shaddock_sanitizers)

find_program(SHADDOCK_CCACHE ccache)
if(SHADDOCK_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SHADDOCK_CCACHE})
endif()
find_program(SHADDOCK_MOLD mold)
if(SHADDOCK_MOLD)
  target_link_options(shaddock_options INTERFACE -fuse-ld=mold)
endif()
