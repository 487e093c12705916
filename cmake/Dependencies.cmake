# The only place with the names Debian gives its packages. Reasons: docs/dependencies.md.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(cppzmq REQUIRED)
find_package(msgpack-cxx CONFIG QUIET)
if(NOT msgpack-cxx_FOUND)
  # Debian's C package of the same name would be found first without the hint.
  find_package(msgpack CONFIG REQUIRED HINTS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/cmake/msgpackc-cxx
                                             /usr/lib/cmake/msgpackc-cxx)
endif()
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)

add_library(holdfast_msgpack INTERFACE)
if(TARGET msgpack-cxx)
  target_link_libraries(holdfast_msgpack INTERFACE msgpack-cxx)
else()
  target_link_libraries(holdfast_msgpack INTERFACE msgpackc-cxx)
endif()

if(HOLDFAST_TESTS)
  find_package(doctest REQUIRED)
endif()
