package dev.arraywright.hardware.discovery

/** What a device is; most are several of these. */
public enum class DeviceFlag {
    /** Has blocks: a disk, a partition, or what stands on them. */
    BLOCK,

    /** A part of a disk, from its partition table. */
    PARTITION,

    /** Speaks NVMe and has namespaces. */
    NVME_CONTROLLER,

    /** Blocks behind an NVMe controller. */
    NVME_NAMESPACE,

    /** Takes SCSI commands, over whatever transport. */
    SCSI,

    /** On an ATA port, or an ATA disk behind a SAS expander. */
    SATA,

    /** On a SAS port. */
    SAS,

    /** A paravirtual device of a hypervisor. */
    VIRTIO,

    /** On a USB port. */
    USB,

    /** A flash card or a soldered flash chip. */
    MMC,

    /** An optical drive. */
    OPTICAL,

    /** A loop device, over a file if it has one. */
    LOOP,

    /** Compressed memory. */
    ZRAM,

    /** A RAM disk. */
    RAM,

    /** An array of Linux md. */
    MD,

    /** A mapping of Linux device-mapper: LVM, LUKS, multipath. */
    DEVICE_MAPPER,

    /** A network block device's client side. */
    NBD,

    /** A function on a PCI bus. */
    PCI,

    /** A PCI function of the mass storage class. */
    STORAGE_CONTROLLER,

    /** Computes: a GPU or a processing accelerator. */
    ACCELERATOR,

    /** A display controller, or a 3D one without a display. */
    GPU,

    /** A network interface with hardware behind it, or its PCI function. */
    NETWORK,
}
