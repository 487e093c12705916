# The tests whose branches `./dev coverage` counts: those that need no socket.
add_custom_target(holdfast_covered)
foreach(room base journal patterns sim)
  add_subdirectory(${room})
  get_property(programs DIRECTORY ${room} PROPERTY BUILDSYSTEM_TARGETS)
  add_dependencies(holdfast_covered ${programs})
endforeach()
