# find_package(wormhole-sync 0.1) gives two targets, of which a program links one:
#
#   wormhole_sync::wormhole         the shared library
#   wormhole_sync::wormhole_static  the static one; gRPC and what else it stands on come as CMake finds their libraries
#
# It finds the rest from where it lies, so that the tree may be moved as a whole.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(absl CONFIG)

get_filename_component(_wormhole_sync_libdir "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
get_filename_component(_wormhole_sync_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

# A target of a second find_package call would be an error.
if(NOT TARGET wormhole_sync::wormhole)
  add_library(wormhole_sync::wormhole SHARED IMPORTED)
  set_target_properties(wormhole_sync::wormhole PROPERTIES
    IMPORTED_LOCATION "${_wormhole_sync_libdir}/libwormhole-sync-cc.so.0"
    IMPORTED_SONAME libwormhole-sync-cc.so.0
    INTERFACE_COMPILE_FEATURES cxx_std_17
    INTERFACE_INCLUDE_DIRECTORIES "${_wormhole_sync_prefix}/include"
    INTERFACE_LINK_LIBRARIES "absl::status;absl::statusor;absl::strings;absl::time")

  # By their names alone: a program that takes the shared library needs no development files of these.
  add_library(wormhole_sync::wormhole_static STATIC IMPORTED)
  set_target_properties(wormhole_sync::wormhole_static PROPERTIES
    IMPORTED_LOCATION "${_wormhole_sync_libdir}/libwormhole-sync-cc.a"
    IMPORTED_LINK_INTERFACE_LANGUAGES CXX
    INTERFACE_COMPILE_FEATURES cxx_std_17
    INTERFACE_INCLUDE_DIRECTORIES "${_wormhole_sync_prefix}/include"
    INTERFACE_LINK_LIBRARIES "grpc++;grpc;gpr;protobuf;sodium;ssl;crypto;absl::status;absl::statusor;absl::strings;absl::synchronization;absl::time;Threads::Threads")
endif()

unset(_wormhole_sync_libdir)
unset(_wormhole_sync_prefix)
