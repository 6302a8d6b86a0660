/**
 * Starts a container's program and stays to write down its exit code, so that a kubelet that died meanwhile can still
 * read it. POSIX sh; about 0.3 MB of its own memory.
 *
 * Arguments: container folder, `namespace` or `direct`, working directory, `uid:gid` to appear as or `-`, `ro` or `rw`
 * root file system, niceness, then the program with its arguments.
 *
 * | file in the folder | holds |
 * |---|---|
 * | `cgroup` | path of the `cgroup.procs` to join, where there is one |
 * | `fstab` | mounts of the container's root (namespace only) |
 * | `pid` | line of /proc/<pid>/stat of the program (Linux), else its number |
 * | `exit` | exit code, 128 + signal for a signal (as containerd reports it) |
 * | `setup.log` | what went wrong before the program ran |
 *
 * Set-up failures end with 125 and leave `pid` empty; a program that is not there writes `not found` to `setup.log`.
 */
export const LAUNCH_SCRIPT = `#!/bin/sh
dir=$1 mode=$2 cwd=$3 user=$4 root=$5 nice=$6
shift 6
umask 022
# A program that signals its whole group must not take the exit code with it. Programs do not inherit handlers.
trap : HUP INT QUIT TERM USR1 USR2
exec 3>"$dir/exit" 4>"$dir/pid" 5>&2 2>"$dir/setup.log"
if [ -r "$dir/cgroup" ]; then read -r group <"$dir/cgroup" && echo 0 >"$group" || exit 125; fi
if [ "$mode" = namespace ]; then
  PATH_SAVED=$PATH
  PATH=/usr/sbin:/usr/bin:/sbin:/bin
  mount -n -a -T "$dir/fstab" || exit 125
  cd "$dir/root" || exit 125
  pivot_root . .kind-e2e/old || exit 125
  cd / || exit 125
  umount -n -l /.kind-e2e/old || exit 125
  read -r name </etc/hostname && { hostname "$name" || echo "$name" >/proc/sys/kernel/hostname; } 2>/dev/null
  if [ "$root" = ro ]; then mount -n -o remount,bind,ro / || exit 125; fi
  PATH=$PATH_SAVED
fi
(
  [ -d "$cwd" ] || mkdir -p "$cwd" 2>/dev/null
  cd "$cwd" || { echo "chdir to cwd (\\"$cwd\\") set in config.json failed: no such file or directory" >&2; exit 125; }
  case $1 in
    */*) [ -e "$1" ] || { echo "not found" >&2; exit 125; }; [ -x "$1" ] && [ ! -d "$1" ] || { echo "permission denied" >&2; exit 125; } ;;
    *) command -v "$1" >/dev/null || { echo "not found" >&2; exit 125; } ;;
  esac
  if [ "$nice" != 0 ]; then renice -n "$nice" -p "$(exec sh -c 'echo $PPID')" >/dev/null 2>&1; fi
  if [ -r /proc/self/stat ]; then read -r stat </proc/self/stat; else stat=$(exec sh -c 'echo $PPID'); fi
  printf '%s\\n' "$stat" >&4
  exec 3>&- 4>&- 2>&5 5>&-
  if [ "$user" != - ] && [ "$mode" = namespace ]; then
    exec /usr/bin/unshare --user --map-user="\${user%:*}" --map-group="\${user#*:}" -- "$@"
  fi
  exec "$@"
)
echo $? >&3
`;
