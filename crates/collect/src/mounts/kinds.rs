//! Which file systems hold data that can run out of room, and which may keep a caller waiting.
//!
//! The list names the types that are probed. Others make no row: interfaces of the kernel,
//! images that are always full (squashfs, iso9660), automount points, and views of other file
//! systems.

/// Network file systems and others whose server may not answer.
const MAY_WAIT: [&[u8]; 13] = [
    b"nfs",
    b"nfs4",
    b"cifs",
    b"smb3",
    b"9p",
    b"virtiofs",
    b"ceph",
    b"lustre",
    b"beegfs",
    b"gfs2",
    b"ocfs2",
    b"zfs",
    b"fuseblk",
];

/// File systems of disks that keep their figures in memory.
const ON_DISK: [&[u8]; 14] = [
    b"ext2",
    b"ext3",
    b"ext4",
    b"xfs",
    b"btrfs",
    b"bcachefs",
    b"f2fs",
    b"nilfs2",
    b"jfs",
    b"reiserfs",
    b"vfat",
    b"exfat",
    b"ntfs3",
    b"hfsplus",
];

/// FUSE programs that store data. Others show what is not a store (portals, LXCFS,
/// mounted images).
const FUSE: [&[u8]; 14] = [
    b"ceph",
    b"glusterfs",
    b"juicefs",
    b"lizardfs",
    b"mergerfs",
    b"mfs",
    b"moosefs",
    b"ntfs-3g",
    b"quobyte",
    b"s3ql",
    b"seaweedfs",
    b"sshfs",
    b"vmhgfs-fuse",
    b"zfs-fuse",
];

/// Directories whose tmpfs mounts belong to the system or to an engine of containers.
const NOT_OURS: [&[u8]; 8] = [
    b"/dev/",
    b"/proc/",
    b"/run/",
    b"/sys/",
    b"/var/lib/containers/",
    b"/var/lib/docker/",
    b"/var/lib/kubelet/",
    b"/var/lib/lxcfs/",
];

/// Returns whether a row is made for a file system of this type that is mounted there.
pub(crate) fn holds_data(fs_type: &[u8], mount: &[u8]) -> bool {
    match fs_type {
        // full memory file systems stop services; those below /run are one per user and service
        b"tmpfs" => {
            mount == b"/dev/shm"
                || (mount != b"/dev" && !NOT_OURS.iter().any(|dir| mount.starts_with(dir)))
        }
        // the root of a container; on its host the same is seen once per container
        b"overlay" => mount == b"/",
        _ => {
            ON_DISK.contains(&fs_type)
                || MAY_WAIT.contains(&fs_type)
                || fs_type
                    .strip_prefix(b"fuse.")
                    .is_some_and(|program| FUSE.contains(&program))
        }
    }
}

/// Returns whether one file system gives several mounts with figures of their own.
pub(crate) fn has_subvolumes(fs_type: &[u8]) -> bool {
    matches!(fs_type, b"btrfs" | b"bcachefs")
}

/// Returns whether a path through, or a probe to, such a file system is answered from memory.
pub(crate) fn answers_at_once(fs_type: &[u8]) -> bool {
    ON_DISK.contains(&fs_type)
        || matches!(
            fs_type,
            b"tmpfs" | b"ramfs" | b"rootfs" | b"devtmpfs" | b"overlay" | b"sysfs" | b"proc"
        )
}

/// Returns whether it is a file system of a disk: when one of these does not answer, the disk hangs.
pub(crate) fn is_on_disk(fs_type: &[u8]) -> bool {
    ON_DISK.contains(&fs_type)
}
