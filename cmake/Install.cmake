# What is installed: the command, one library holdfast::holdfast with its public headers, and the files by which
# CMake and pkg-config find it. The rooms stay separate in the build and are one archive for the world.
include(CMakePackageConfigHelpers)

set(rooms holdfast_base holdfast_patterns holdfast_plugins holdfast_devices holdfast_config
  holdfast_embedded)
if(TARGET holdfast_journal)
  list(APPEND rooms holdfast_journal)
endif()
list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
add_library(holdfast_lib ${objects})
add_library(holdfast::holdfast ALIAS holdfast_lib)
file(GLOB public_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/holdfast/*.h*)
target_sources(holdfast_lib PUBLIC FILE_SET HEADERS
  BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${public_headers})
set_target_properties(holdfast_lib PROPERTIES
  OUTPUT_NAME holdfast EXPORT_NAME holdfast LINKER_LANGUAGE CXX POSITION_INDEPENDENT_CODE ON
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_compile_features(holdfast_lib PUBLIC cxx_std_20)
# Plain names: whoever links needs the libraries, not their CMake packages.
set(HOLDFAST_LINKS zmq xxhash spdlog fmt yaml-cpp)
target_link_libraries(holdfast_lib PRIVATE ${HOLDFAST_LINKS} Threads::Threads)

# The simulator for handlers of one's own, holdfast::sim: beside the library, for tests alone.
add_library(holdfast_sim_lib $<TARGET_OBJECTS:holdfast_sim> $<TARGET_OBJECTS:holdfast_simulator>)
add_library(holdfast::sim ALIAS holdfast_sim_lib)
set_target_properties(holdfast_sim_lib PROPERTIES
  OUTPUT_NAME holdfast_sim EXPORT_NAME sim LINKER_LANGUAGE CXX POSITION_INDEPENDENT_CODE ON
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_link_libraries(holdfast_sim_lib PUBLIC holdfast_lib)
if(HOLDFAST_SANITIZE)
  target_link_libraries(holdfast_lib PUBLIC $<BUILD_INTERFACE:holdfast_flags>)
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/holdfast)
install(TARGETS holdfast_lib holdfast_sim_lib EXPORT holdfast-targets
  ARCHIVE COMPONENT library LIBRARY COMPONENT library RUNTIME COMPONENT library
  FILE_SET HEADERS COMPONENT library)
install(EXPORT holdfast-targets NAMESPACE holdfast:: DESTINATION ${package_dir} COMPONENT library)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/holdfast-config.cmake.in
  ${PROJECT_BINARY_DIR}/holdfast-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/holdfast-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/holdfast-config.cmake ${PROJECT_BINARY_DIR}/holdfast-config-version.cmake
  ${PROJECT_SOURCE_DIR}/cmake/holdfast-plugin.cmake DESTINATION ${package_dir} COMPONENT library)

list(TRANSFORM HOLDFAST_LINKS PREPEND "-l" OUTPUT_VARIABLE pkgconfig_links)
list(JOIN pkgconfig_links " " HOLDFAST_PC_LINKS)
# Relative, so that the package may be moved; how deep depends on the system's layout.
file(RELATIVE_PATH HOLDFAST_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${PROJECT_SOURCE_DIR}/cmake/holdfast.pc.in ${PROJECT_BINARY_DIR}/holdfast.pc @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/cmake/holdfast-sim.pc.in ${PROJECT_BINARY_DIR}/holdfast-sim.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/holdfast.pc ${PROJECT_BINARY_DIR}/holdfast-sim.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)

if(TARGET holdfast)
  install(TARGETS holdfast RUNTIME COMPONENT program)
endif()
if(TARGET holdfast-bench)
  install(TARGETS holdfast-bench RUNTIME COMPONENT program)
endif()
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
