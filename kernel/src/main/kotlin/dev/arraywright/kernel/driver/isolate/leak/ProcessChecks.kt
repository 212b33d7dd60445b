package dev.arraywright.kernel.driver.isolate.leak

import java.lang.management.ManagementFactory
import java.net.Authenticator
import java.net.CookieHandler
import java.net.ProxySelector
import java.net.ResponseCache
import java.net.URLConnection
import java.security.Security
import java.util.logging.LogManager
import javax.management.InstanceNotFoundException
import javax.management.MBeanServerFactory

/** Levels, handlers and filters in java.util.logging. */
internal class LoggingCheck : LeakCheck {
    override fun holders(loader: WatchedLoader): List<LeakHolder> {
        val loggers = LogManager.getLogManager().let { logs -> logs.loggerNames.toList().mapNotNull(logs::getLogger) }
        return loggers.flatMap { logger ->
            val title = if (logger.name.isEmpty()) "the root logger" else "the logger '${logger.name}'"
            val parts = listOf("level" to logger.level, "filter" to logger.filter, "class" to logger) +
                logger.handlers.flatMap {
                    listOf("handler" to it, "handler's level" to it.level, "handler's filter" to it.filter) +
                        ("handler's formatter" to it.formatter)
                }
            parts.filter { loader.owns(it.second) }
                .map { (part, thing) ->
                    LeakHolder(LeakKind.LOGGING, "the $part of $title is a ${thing!!.javaClass.name}")
                }
        }
    }
}

/** Beans registered with the JMX servers of the process. */
internal class JmxCheck : LeakCheck {
    override fun holders(loader: WatchedLoader): List<LeakHolder> {
        val servers = MBeanServerFactory.findMBeanServer(null) + ManagementFactory.getPlatformMBeanServer()
        return servers.distinct().flatMap { server ->
            server.queryNames(null, null)
                .filter {
                    try {
                        loader.owns(server.getClassLoaderFor(it))
                    } catch (_: InstanceNotFoundException) {
                        false
                    }
                }
                .map { LeakHolder(LeakKind.JMX, "$it is registered") }
        }
    }
}

/** What the process has one of: defaults, providers, properties. */
internal class DefaultsCheck : LeakCheck {
    override fun holders(loader: WatchedLoader): List<LeakHolder> {
        val defaults = listOf(
            "Thread.getDefaultUncaughtExceptionHandler" to Thread.getDefaultUncaughtExceptionHandler(),
            "Authenticator.getDefault" to Authenticator.getDefault(),
            "CookieHandler.getDefault" to CookieHandler.getDefault(),
            "ProxySelector.getDefault" to ProxySelector.getDefault(),
            "ResponseCache.getDefault" to ResponseCache.getDefault(),
            "URLConnection.getFileNameMap" to URLConnection.getFileNameMap(),
            "System.in" to System.`in`,
            "System.out" to System.out,
            "System.err" to System.err,
        )
        // Values that are no text are put there with the methods of a Hashtable.
        val properties = System.getProperties().let {
            synchronized(it) {
                it.entries.map { (key, value) -> key to value }
            }
        }
        return Security.getProviders().filter(loader::owns).map {
            LeakHolder(LeakKind.SECURITY_PROVIDER, it.javaClass.name)
        } +
            defaults.filter { loader.owns(it.second) }
                .map { (name, thing) -> LeakHolder(LeakKind.PROCESS_DEFAULT, "$name is a ${thing!!.javaClass.name}") } +
            properties.filter { loader.owns(it.first) || loader.owns(it.second) }
                .map { (key, value) -> LeakHolder(LeakKind.PROCESS_DEFAULT, "a system property, ${shown(key, value)}") }
    }

    override fun unseen(): List<String> =
        listOf("factories of URL stream and content handlers, other than in a heap dump: the JDK does not tell them")

    private fun shown(key: Any, value: Any) = "${key as? String ?: key.javaClass.name}: a ${value.javaClass.name}"
}

/** Classes of the driver of a kind that tends to be registered where the JDK does not tell. */
internal class TypeCheck : LeakCheck {
    override fun holders(loader: WatchedLoader): List<LeakHolder> = loader.defined.flatMap { type ->
        val kinds = supertypes(type).map { it.name }.toSet()
        TELLTALE.filter { it.key in kinds && !type.isInterface }.map { (name, kind) ->
            LeakHolder(kind, "${type.name} is a $name, which is registered for the whole process", certain = false)
        }
    }

    private fun supertypes(type: Class<*>): Sequence<Class<*>> =
        generateSequence<Class<*>>(type) { it.superclass }.flatMap { sequenceOf(it) + it.interfaces.asSequence() }

    private companion object {
        val TELLTALE = mapOf(
            "java.sql.Driver" to LeakKind.SQL_DRIVER,
            "java.net.URLStreamHandlerFactory" to LeakKind.PROCESS_DEFAULT,
            "java.net.ContentHandlerFactory" to LeakKind.PROCESS_DEFAULT,
        )
    }
}
