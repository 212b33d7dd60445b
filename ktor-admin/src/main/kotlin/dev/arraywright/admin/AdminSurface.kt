package dev.arraywright.admin

import dev.arraywright.admin.control.ControlServer
import dev.arraywright.admin.control.KernelControl
import dev.arraywright.kernel.ArraywrightKernel
import java.nio.file.Path

/** The admin surface for applications that embed a kernel: what the command line talks to. */
public class AdminSurface(private val kernel: ArraywrightKernel) {
    /**
     * Serves REST, events included, at the Unix socket [socket], a path that does not exist yet, which only its owner
     * may open; ends when the result is closed.
     *
     * @throws dev.arraywright.kernel.KernelError if it cannot listen there
     */
    public suspend fun listen(socket: Path): AutoCloseable = ControlServer.start(socket, KernelControl(kernel))
}
