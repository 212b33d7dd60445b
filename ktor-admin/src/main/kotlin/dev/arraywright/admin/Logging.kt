package dev.arraywright.admin

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.LoggerContext
import ch.qos.logback.classic.encoder.PatternLayoutEncoder
import ch.qos.logback.classic.spi.Configurator
import ch.qos.logback.classic.spi.Configurator.ExecutionStatus
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.ConsoleAppender
import ch.qos.logback.core.spi.ContextAwareBase
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/** Logs warnings and errors to standard error; set up in code, because reading XML costs a tenth of the start. */
public class Logging :
    ContextAwareBase(),
    Configurator {
    override fun configure(context: LoggerContext): ExecutionStatus {
        val lines = PatternLayoutEncoder().apply {
            this.context = context
            pattern = "%d{HH:mm:ss.SSS} %-5level %logger{24}: %msg%n%nopex"
            start()
        }
        val stderr = ConsoleAppender<ILoggingEvent>().apply {
            this.context = context
            name = "stderr"
            target = "System.err"
            encoder = lines
            start()
        }
        context.getLogger(Logger.ROOT_LOGGER_NAME).apply {
            level = Level.WARN
            addAppender(stderr)
        }
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY
    }

    internal companion object {
        /** 0 warnings, 1 also what happens, 2 and above everything of Arraywright's. */
        fun verbosity(degree: Int) {
            if (degree == 0) return
            val context = LoggerFactory.getILoggerFactory() as? LoggerContext ?: return
            context.getLogger("dev.arraywright").level = if (degree == 1) Level.INFO else Level.DEBUG
        }
    }
}
