package dev.arraywright.hardware.linux

import java.io.IOException

/** Error numbers of Linux, as in asm-generic/errno.h. */
internal object Errno {
    const val EPERM: Int = 1
    const val ENOENT: Int = 2
    const val EINTR: Int = 4
    const val EIO: Int = 5
    const val ENXIO: Int = 6
    const val EBADF: Int = 9
    const val EAGAIN: Int = 11
    const val EACCES: Int = 13
    const val EBUSY: Int = 16
    const val EEXIST: Int = 17
    const val ENODEV: Int = 19
    const val ENOTDIR: Int = 20
    const val EINVAL: Int = 22
    const val ENOTTY: Int = 25
    const val ETXTBSY: Int = 26
    const val EFBIG: Int = 27
    const val ENOSPC: Int = 28
    const val EROFS: Int = 30
    const val ENOLCK: Int = 37
    const val ENOSYS: Int = 38
    const val ELOOP: Int = 40
    const val ENOLINK: Int = 67
    const val EBADMSG: Int = 74
    const val EILSEQ: Int = 84
    const val EOPNOTSUPP: Int = 95
    const val ENOBUFS: Int = 105
    const val ESHUTDOWN: Int = 108
    const val ETIMEDOUT: Int = 110
    const val ESTALE: Int = 116
    const val EDQUOT: Int = 122
    const val ENOMEDIUM: Int = 123
}

/** A system call that failed, with its error number. */
internal class PosixException(val call: String, val errno: Int) :
    IOException("$call: ${Posix.strerror(errno)} (errno $errno)")
