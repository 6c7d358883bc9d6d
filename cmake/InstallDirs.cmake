# Where systemd, D-Bus and polkit look for files. Under the prefix, so that a user can install
# without root; the packages use /usr, where these are the real places.
set(BANGER_LIBEXECDIR ${CMAKE_INSTALL_PREFIX}/libexec/banger)
set(BANGER_INSTALL_LIBEXECDIR libexec/banger)
set(BANGER_INSTALL_USERUNITDIR lib/systemd/user)
set(BANGER_INSTALL_SYSTEMUNITDIR lib/systemd/system)
set(BANGER_INSTALL_SYSUSERSDIR lib/sysusers.d)
set(BANGER_INSTALL_DBUSDIR share/dbus-1)
set(BANGER_INSTALL_POLKITDIR share/polkit-1)
set(BANGER_INSTALL_GUESTDIR lib/banger)
set(BANGER_GUESTDIR ${CMAKE_INSTALL_PREFIX}/${BANGER_INSTALL_GUESTDIR})
