package dev.arraywright.samples.http

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.OutOfSpaceException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.device.DeviceType
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import java.io.IOException
import java.net.URI
import java.nio.ByteBuffer
import kotlin.time.toJavaDuration

/**
 * An object on a server as a device. Large transfers go in parts, which are read at once.
 *
 * A write that the server has acknowledged is the server's to keep, so [flush] has nothing to do. An object that
 * somebody else changes is noticed by its tag, where it has one, and is gone from then on.
 */
internal class HttpDevice private constructor(
    private val info: DeviceInfo,
    private val calls: Calls,
    private val settings: HttpSettings,
    private val remote: RemoteObject,
    private val failures: Failures,
    @Volatile private var present: Description,
) : BlockDevice {
    private val turns = Turns(settings.concurrency)

    @Volatile private var gone: String? = null

    /** Why requests are repeated, last heard. */
    private class Failures {
        @Volatile var last: IOException? = null
    }

    override fun info(): DeviceInfo = info

    override fun read(target: ByteBuffer, offset: Long) {
        require(!target.isReadOnly) { "the target of a read is a read-only buffer" }
        val length = target.remaining()
        begin(offset, length.toLong())
        val start = target.position()
        transfer(offset, length) {
            coroutineScope {
                parts(length).map { part ->
                    async {
                        val bytes = turns.shared { remote.get(offset + part.first, part.count(), present) }
                        target.put(start + part.first, bytes)
                    }
                }.awaitAll()
            }
        }
        target.position(target.limit())
    }

    override fun write(source: ByteBuffer, offset: Long) {
        val length = source.remaining()
        beginChange(offset, length.toLong())
        val start = source.position()
        transfer(offset, length) {
            for (part in parts(length)) {
                val bytes = ByteArray(part.count())
                source.get(start + part.first, bytes)
                turns.alone { present = remote.put(offset + part.first, bytes, present) }
            }
        }
        source.position(source.limit())
    }

    override fun flush() = begin(0, 0)

    /** HTTP has no way to give bytes of an object back. */
    override fun discard(offset: Long, length: Long) = beginChange(offset, length)

    override fun health(): DeviceHealth {
        val why = gone ?: return DeviceHealth.GOOD
        return DeviceHealth(DeviceHealth.Status.FAILED, why)
    }

    override fun isOnline(): Boolean = gone == null

    override fun close() {
        if (gone == null) gone = CLOSED
        calls.close()
    }

    private fun begin(offset: Long, length: Long) {
        info.checkRange(offset, length)
        gone?.let { throw DeviceGoneException(info.id(), it, null) }
    }

    private fun beginChange(offset: Long, length: Long) {
        begin(offset, length)
        if (info.readOnly()) throw WriteProtectedException(info.id())
    }

    private fun transfer(offset: Long, length: Int, block: suspend () -> Unit) {
        if (length == 0) return
        val done = try {
            calls.run(block)
        } catch (e: CancellationException) {
            throw DeviceGoneException(info.id(), CLOSED, e)
        } catch (e: Refused) {
            throw failure(offset, length, e)
        } catch (e: IOException) {
            throw if (gone == null) MediumErrorException(info.id(), offset, length.toLong(), e) else goneBy(e)
        }
        done ?: throw TimedOutException(info.id(), settings.timeout.toJavaDuration(), failures.last)
    }

    private fun failure(offset: Long, length: Int, e: Refused): IOException = when (e.status) {
        400, 405, 501 -> WriteProtectedException(info.id(), e.message, e)
        413, 507 -> OutOfSpaceException(info.id(), e)
        206 -> MediumErrorException(info.id(), offset, length.toLong(), e)
        else -> {
            if (gone == null) gone = e.message
            goneBy(e)
        }
    }

    private fun goneBy(e: IOException) = DeviceGoneException(info.id(), gone, e)

    companion object {
        private const val CLOSED = "closed"
        private const val SECTOR = 512
        private const val PAGE = 4096
        private const val PART = 1 shl 20

        fun open(url: URI, readOnly: Boolean, settings: HttpSettings): HttpDevice {
            val calls = Calls("device $url", settings.timeout)
            try {
                val failures = Failures()
                val remote = RemoteObject(url, calls.client) { failures.last = it }
                val found = calls.run { remote.describe() } ?: throw unreachable(url, settings, failures.last)
                if (found.size == 0L || found.size % SECTOR != 0L) throw odd(url, found.size)
                val info = DeviceInfo(
                    url.toString(),
                    "",
                    "",
                    DeviceType.NETWORK,
                    -1,
                    found.size,
                    SECTOR,
                    PAGE,
                    readOnly,
                    false,
                )
                return HttpDevice(info, calls, settings, remote, failures, found)
            } catch (e: Refused) {
                calls.close()
                throw refusal(url, e)
            } catch (e: Throwable) {
                calls.close()
                throw e
            }
        }

        /** Of so many bytes, each no larger than [PART]. */
        private fun parts(length: Int): List<IntRange> =
            (0 until length step PART).map { it until minOf(it + PART, length) }

        private fun refusal(url: URI, e: Refused): DriverException {
            val (reason, remedy) = when (e.status) {
                404, 410 -> Reason.NOT_FOUND to "check the path, or put the object there first"
                401, 403, 407 -> Reason.NO_PERMISSION to "have the server let this machine read it"
                200, 206 -> Reason.UNSUPPORTED to "keep it on a server that has byte ranges"
                412 -> Reason.INVALID to "put an object of at least 512 bytes there"
                else -> Reason.FAILED to "see the log of the server"
            }
            return DriverException(reason, "$url cannot be used: ${e.message}", remedy, e)
        }

        private fun unreachable(url: URI, settings: HttpSettings, last: IOException?): DriverException {
            val why = last?.let { it.message ?: it.javaClass.simpleName } ?: "no answer"
            return DriverException(
                Reason.UNREACHABLE,
                "$url did not answer within ${settings.timeout}: $why",
                "check that the server runs and can be reached from here",
                last,
            )
        }

        private fun odd(url: URI, size: Long) = DriverException(
            Reason.INVALID,
            "$url has $size bytes, which is no multiple of $SECTOR above 0",
            "round the object up",
        )
    }
}
