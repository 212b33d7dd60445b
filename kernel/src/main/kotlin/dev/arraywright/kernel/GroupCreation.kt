package dev.arraywright.kernel

import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.spare.Protection
import dev.arraywright.raid.metadata.SuperblockDescriptor
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.StorageAddress
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import java.util.UUID

/** Makes a protected group step by step, and knows how to undo each. */
internal class GroupCreation(
    private val registry: ArrayRegistry,
    private val protection: Protection,
    private val nbd: Exports,
    private val members: Members,
) {
    suspend fun create(group: ProtectedGroup): ArrayHandle {
        val addresses = members.parseAll(group.spec.members + group.spec.spares + group.sharedSpares)
        val own = addresses.dropLast(group.sharedSpares.size)
        // Whose superblock a device has before: only what is written here is erased again.
        val before = own.associateWith { owner(it) }
        val undo = ArrayDeque<suspend () -> Unit>()
        try {
            undo += { own.forEach { eraseNew(it, before[it]) } }
            val domains = group.domains.mapKeys { members.parse(it.key) }
            val made = registry.create(group.spec, domains)
            undo += { made.files.forEach { remove(it) } }
            undo += { registry.stop(made.handle.name) }
            group.policy?.let { policy ->
                val old = protection.policy.value
                protection.setPolicy(policy)
                undo += { protection.setPolicy(old) }
            }
            for (spare in group.sharedSpares) {
                protection.addSpare(spare, null, domains[members.parse(spare)])
                undo += { if (members.parse(spare) in protection.pooled()) protection.removeSpare(spare) }
            }
            group.export?.let { nbd.export(made.handle, ExportConfiguration(it)) }
            return made.handle
        } catch (e: Throwable) {
            withContext(NonCancellable) { undone(undo, e) }
            throw e
        }
    }

    /** The last step first; one that cannot be undone does not keep the others from it. */
    private suspend fun undone(undo: ArrayDeque<suspend () -> Unit>, reason: Throwable) {
        while (true) {
            val step = undo.removeLastOrNull() ?: return
            try {
                step()
            } catch (e: Exception) {
                reason.addSuppressed(e)
            }
        }
    }

    private suspend fun owner(address: StorageAddress): UUID? = registry.examine(address).superblock?.setUuid()

    private suspend fun eraseNew(address: StorageAddress, before: UUID?) {
        val now = owner(address) ?: return
        if (now == before) return
        val opened = OpenMember(address, members.open(address, null))
        try {
            val start = SuperblockDescriptor.SUPERBLOCK_OFFSET
            val zeroes = ByteBuffer.allocateDirect(SuperblockDescriptor.MAX_SIZE)
            opened.device.write(zeroes, start.toLong()).await()
            opened.device.flush().await()
        } catch (e: DeviceIoException) {
            throw KernelError.DeviceUnusable("cannot erase what was written to $address", e.message.orEmpty(), "", e)
        } finally {
            members.close(opened)
        }
    }

    private suspend fun remove(file: Path) {
        withContext(Dispatchers.IO) { Files.deleteIfExists(file) }
    }
}
