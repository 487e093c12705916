# How every target of the project is compiled: C++20, warnings as errors, sanitizers from the preset.
set(HOLDFAST_SANITIZE "" CACHE STRING "address;undefined, thread, or empty")

add_library(holdfast_flags INTERFACE)
target_compile_features(holdfast_flags INTERFACE cxx_std_20)
target_compile_options(holdfast_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
    -Wconversion -Wno-sign-conversion>
  $<$<BOOL:${PROJECT_IS_TOP_LEVEL}>:-Werror>)
if(HOLDFAST_SANITIZE)
  list(JOIN HOLDFAST_SANITIZE "," sanitizers)
  target_compile_options(holdfast_flags INTERFACE -fsanitize=${sanitizers} -fno-omit-frame-pointer)
  target_link_options(holdfast_flags INTERFACE -fsanitize=${sanitizers})
endif()
option(HOLDFAST_FUZZ "Build the fuzz targets under libFuzzer (clang), in place of their replays" OFF)
if(HOLDFAST_FUZZ)
  target_compile_options(holdfast_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
option(HOLDFAST_COVERAGE "Count the branches that tests take (clang), `./dev coverage`" OFF)
if(HOLDFAST_COVERAGE)
  target_compile_options(holdfast_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(holdfast_flags INTERFACE -fprofile-instr-generate)
endif()

# holdfast_library(NAME SOURCES... [LINK targets...] [PRIVATE_LINK targets...]): one room group of the architecture.
function(holdfast_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
  target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE $<BUILD_INTERFACE:holdfast_flags> ${arg_PRIVATE_LINK})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${name} PUBLIC cxx_std_20)
endfunction()

# A sanitizer makes a program several times slower: its tests have more time, and say so to those that measure.
set(holdfast_patience 1)
if(HOLDFAST_SANITIZE)
  set(holdfast_patience 5)
endif()

# holdfast_test(NAME SOURCES... LINK targets... [LABEL quick|socket|...] [TIMEOUT s]): one doctest program.
function(holdfast_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE holdfast_doctest_main holdfast_flags ${arg_LINK})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_precompile_headers(${name} PRIVATE <doctest/doctest.h>)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * ${holdfast_patience}")
  # A printed reason counts as a skip only in a program that did not fail: ctest would hide the failure.
  set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT}
    SKIP_REGULAR_EXPRESSION "(^|\n)SKIP: .*Status: SUCCESS!")
endfunction()

# holdfast_python_test(NAME SCRIPT script.py [ARGS ...] [LABEL l] [TIMEOUT s]): exit status 77 is a skip.
# Never the python3 of PATH: the packages stand beside the system's.
find_program(HOLDFAST_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
function(holdfast_python_test name)
  cmake_parse_arguments(arg "" "SCRIPT;LABEL;TIMEOUT" "ARGS" ${ARGN})
  add_test(NAME ${name} COMMAND ${HOLDFAST_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/${arg_SCRIPT} ${arg_ARGS})
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * ${holdfast_patience}")
  set(environment PYTHONDONTWRITEBYTECODE=1 HOLDFAST_BUILD=${PROJECT_BINARY_DIR}
    HOLDFAST_PROGRAM=${PROJECT_BINARY_DIR}/holdfast HOLDFAST_SANITIZED=$<BOOL:${HOLDFAST_SANITIZE}>)
  set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77
    ENVIRONMENT "${environment}")
endfunction()
