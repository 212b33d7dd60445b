package dev.arraywright.kernel.event

import kotlinx.serialization.KSerializer
import kotlinx.serialization.SerializationException
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.descriptors.buildClassSerialDescriptor
import kotlinx.serialization.encoding.Decoder
import kotlinx.serialization.encoding.Encoder
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonDecoder
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonEncoder
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.longOrNull
import java.time.DateTimeException
import java.time.Instant

/**
 * An occurrence as a flat JSON object: `topic`, `message` (for people; not read back), and the fields of its class. A
 * topic or fields that this version cannot read give [Occurrence.Unknown], fields it does not know are left out.
 */
public object OccurrenceSerializer : KSerializer<Occurrence> {
    override val descriptor: SerialDescriptor = buildClassSerialDescriptor("dev.arraywright.Occurrence")

    override fun serialize(encoder: Encoder, value: Occurrence) {
        encoder.json().encodeJsonElement(toJson(value))
    }

    override fun deserialize(decoder: Decoder): Occurrence = fromJson(decoder.json().decodeJsonElement().fields())

    internal fun toJson(value: Occurrence): JsonObject {
        if (value is Occurrence.Unknown) return value.json
        val head = mapOf("topic" to JsonPrimitive(value.topicText), "message" to JsonPrimitive(value.message))
        return JsonObject(head + format.encodeToJsonElement(serializerOf(value.topic), value).fields())
    }

    internal fun fromJson(json: JsonObject): Occurrence {
        val text = json.text("topic")
        val topic = Topic.of(text)
        if (topic == Topic.UNKNOWN) return Occurrence.Unknown(text, json)
        return try {
            format.decodeFromJsonElement(serializerOf(topic), json)
        } catch (_: SerializationException) {
            Occurrence.Unknown(text, json)
        }
    }

    private val format = Json {
        ignoreUnknownKeys = true
        encodeDefaults = true
        explicitNulls = false
    }
}

/** An event as the flat JSON object of its occurrence, with `sequence` and `time` (ISO 8601) before it. */
public object KernelEventSerializer : KSerializer<KernelEvent> {
    override val descriptor: SerialDescriptor = buildClassSerialDescriptor("dev.arraywright.KernelEvent")

    override fun serialize(encoder: Encoder, value: KernelEvent) {
        val head = mapOf("sequence" to JsonPrimitive(value.sequence), "time" to JsonPrimitive(value.time.toString()))
        encoder.json().encodeJsonElement(JsonObject(head + OccurrenceSerializer.toJson(value.occurrence)))
    }

    override fun deserialize(decoder: Decoder): KernelEvent {
        val json = decoder.json().decodeJsonElement().fields()
        val sequence = (json["sequence"] as? JsonPrimitive)?.longOrNull
            ?: throw SerializationException("an event has a sequence number")
        val time = try {
            Instant.parse(json.text("time"))
        } catch (e: DateTimeException) {
            throw SerializationException("an event has a time: ${e.message}", e)
        }
        return KernelEvent(sequence, time, OccurrenceSerializer.fromJson(JsonObject(json - "sequence" - "time")))
    }
}

private fun Encoder.json(): JsonEncoder = this as? JsonEncoder ?: throw SerializationException("events are JSON only")

private fun Decoder.json(): JsonDecoder = this as? JsonDecoder ?: throw SerializationException("events are JSON only")

private fun JsonElement.fields(): JsonObject = this as? JsonObject ?: throw SerializationException("not an object")

private fun JsonObject.text(key: String): String =
    (this[key] as? JsonPrimitive)?.takeIf { it.isString }?.content ?: throw SerializationException("no $key")

@Suppress("UNCHECKED_CAST") // Each class has one topic, and each topic one class.
private fun serializerOf(topic: Topic): KSerializer<Occurrence> = when (topic) {
    Topic.DEVICE_GROUP_CREATED -> DeviceGroupCreated.serializer()
    Topic.DEVICE_ADDED -> DeviceAdded.serializer()
    Topic.DEVICE_REMOVED -> DeviceRemoved.serializer()
    Topic.DEVICE_LEFT_OUT -> DeviceLeftOut.serializer()
    Topic.DEVICE_HEALTH_WARNING -> DeviceHealthWarning.serializer()
    Topic.DEVICE_FAILED -> DeviceFailed.serializer()
    Topic.DEVICE_RETURNED -> DeviceReturned.serializer()
    Topic.DEVICE_READDED -> DeviceReadded.serializer()
    Topic.FAILOVER_STARTED -> FailoverStarted.serializer()
    Topic.REBUILD_STARTED -> RebuildStarted.serializer()
    Topic.REBUILD_PROGRESS -> RebuildProgress.serializer()
    Topic.REBUILD_COMPLETE -> RebuildComplete.serializer()
    Topic.REBUILD_FAILED -> RebuildFailed.serializer()
    Topic.REBUILD_CANCELLED -> RebuildCancelled.serializer()
    Topic.REBUILD_PAUSED -> RebuildPaused.serializer()
    Topic.REBUILD_RESUMED -> RebuildResumed.serializer()
    Topic.SPARE_ADDED -> SpareAdded.serializer()
    Topic.SPARE_AWAITED -> SpareAwaited.serializer()
    Topic.SPARE_REMOVED -> SpareRemoved.serializer()
    Topic.SPARE_FAILED -> SpareFailed.serializer()
    Topic.SPARE_EXHAUSTED -> SpareExhausted.serializer()
    Topic.ARRAY_ASSEMBLED -> ArrayAssembled.serializer()
    Topic.ARRAY_RESYNC_STARTED -> ArrayResyncStarted.serializer()
    Topic.ARRAY_RESYNC_COMPLETE -> ArrayResyncComplete.serializer()
    Topic.ARRAY_DEGRADED -> ArrayDegraded.serializer()
    Topic.ARRAY_RECOVERED -> ArrayRecovered.serializer()
    Topic.ARRAY_FAILED -> ArrayFailed.serializer()
    Topic.ARRAY_STOPPED -> ArrayStopped.serializer()
    Topic.SCRUB_STARTED -> ScrubStarted.serializer()
    Topic.SCRUB_PROGRESS -> ScrubProgress.serializer()
    Topic.SCRUB_COMPLETE -> ScrubComplete.serializer()
    Topic.SCRUB_FAILED -> ScrubFailed.serializer()
    Topic.SCRUB_STOPPED -> ScrubStopped.serializer()
    Topic.SCRUB_PAUSED -> ScrubPaused.serializer()
    Topic.SCRUB_RESUMED -> ScrubResumed.serializer()
    Topic.POLICY_CHANGED -> PolicyChanged.serializer()
    Topic.SUPERVISOR_TROUBLE -> SupervisorTrouble.serializer()
    Topic.EXPORT_STARTED -> ExportStarted.serializer()
    Topic.EXPORT_STOPPED -> ExportStopped.serializer()
    Topic.HARDWARE_ADDED -> HardwareAdded.serializer()
    Topic.HARDWARE_REMOVED -> HardwareRemoved.serializer()
    Topic.HARDWARE_CHANGED -> HardwareChanged.serializer()
    Topic.HARDWARE_HEALTH_WARNING -> HardwareHealthWarning.serializer()
    Topic.HARDWARE_HEALTH_RECOVERED -> HardwareHealthRecovered.serializer()
    Topic.MEMORY_PRESSURE -> MemoryPressureChanged.serializer()
    Topic.MEMORY_RELEASED -> MemoryReleased.serializer()
    Topic.DRIVER_LOADED -> DriverLoaded.serializer()
    Topic.DRIVER_UNLOADED -> DriverUnloaded.serializer()
    Topic.DRIVER_LOAD_FAILED -> DriverLoadFailed.serializer()
    Topic.DRIVER_UNLOAD_FAILED -> DriverUnloadFailed.serializer()
    Topic.DRIVER_LEAKED -> DriverLeaked.serializer()
    Topic.DRIVER_UPGRADED -> DriverUpgraded.serializer()
    Topic.DRIVER_FAILED -> DriverFailed.serializer()
    Topic.DRIVER_QUARANTINED -> DriverQuarantined.serializer()
    Topic.DRIVER_WAITING -> DriverWaiting.serializer()
    Topic.CONFIGURATION_CHANGED -> ConfigurationChanged.serializer()
    Topic.CONFIGURATION_REJECTED -> ConfigurationRejected.serializer()
    Topic.UNKNOWN -> error("an unknown occurrence is kept as it was")
} as KSerializer<Occurrence>
