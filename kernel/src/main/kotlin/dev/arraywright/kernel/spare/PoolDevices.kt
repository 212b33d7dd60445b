package dev.arraywright.kernel.spare

import dev.arraywright.kernel.Members
import dev.arraywright.kernel.OpenMember
import dev.arraywright.spi.device.StorageAddress
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.getAndUpdate
import kotlinx.coroutines.flow.update

/** The shared spares that no array has: open, so that nobody else can open them. By device id; thread-safe. */
internal class PoolDevices(private val members: Members) {
    private val table = MutableStateFlow<Map<String, OpenMember>>(emptyMap())

    val addresses: List<StorageAddress> get() = table.value.values.map { it.address }

    fun address(id: String): String? = table.value[id]?.address?.toString()

    fun at(address: StorageAddress): OpenMember? = table.value.values.firstOrNull { it.address == address }

    fun device(id: String): OpenMember? = table.value[id]

    fun put(member: OpenMember) {
        table.update { it + (member.id to member) }
        members.assign(member.address, null)
    }

    /** Who takes it closes it. */
    fun take(id: String): OpenMember? = table.getAndUpdate { it - id }[id]

    suspend fun closeAll() {
        members.closeAll(table.getAndUpdate { emptyMap() }.values)
    }
}
