package dev.arraywright.spi.device;

/** What a device's blocks are kept on. */
public enum DeviceType {
  /** A regular file. */
  FILE,
  /** The process's own memory: gone with it. */
  MEMORY,
  /** A spinning disk. */
  HDD,
  /** A solid-state disk behind SATA, SAS or virtio. */
  SSD,
  /** An NVMe namespace. */
  NVME,
  /** A loop device over a file. */
  LOOP,
  /** A device across a network. */
  NETWORK,
  /** A device made of others: an array, a volume, an overlay. */
  VIRTUAL,
  /** A block device of which no more is known. */
  OTHER
}
