"""Files that are not on this machine: in object stores, on web servers, on a hub."""
