package dev.arraywright.admin.cli.driver

import dev.arraywright.spi.driver.StorageDriver
import java.nio.file.Path
import java.util.jar.JarEntry
import java.util.jar.JarOutputStream
import javax.tools.ToolProvider
import kotlin.io.path.createTempDirectory
import kotlin.io.path.div
import kotlin.io.path.outputStream
import kotlin.io.path.readBytes
import kotlin.io.path.relativeTo
import kotlin.io.path.toPath
import kotlin.io.path.walk
import kotlin.io.path.writeText

/**
 * A jar with a driver of files, compiled against `spi` alone: `shelf:NAME` is the file of that name in the directory that
 * its setting `keep` names.
 *
 * @param name the driver's, and its scheme
 * @param start what its `start()` does, in Java
 */
internal fun driverJar(
    file: Path,
    version: String = "1.0.0",
    annotation: String = "autoLoad = false",
    start: String = "",
    name: String = "shelf",
): Path {
    val work = createTempDirectory("driver-")
    try {
        val source = work / "Shelf.java"
        source.writeText(source(name, version, annotation, start))
        val spi = checkNotNull(StorageDriver::class.java.protectionDomain.codeSource).location.toURI().toPath()
        val options = arrayOf("-proc:none", "-nowarn", "-cp", "$spi", "-d", "${work / "classes"}", "$source")
        check(ToolProvider.getSystemJavaCompiler().run(null, null, null, *options) == 0) { "it does not compile" }
        JarOutputStream(file.outputStream()).use { jar ->
            for (type in (work / "classes").walk()) {
                jar.putNextEntry(JarEntry("${type.relativeTo(work / "classes")}"))
                jar.write(type.readBytes())
            }
        }
        return file
    } finally {
        work.toFile().deleteRecursively()
    }
}

private fun source(name: String, version: String, annotation: String, start: String) = """
    package org.example;
    import dev.arraywright.spi.device.*;
    import dev.arraywright.spi.driver.*;
    import java.io.IOException;
    import java.nio.ByteBuffer;
    import java.nio.channels.FileChannel;
    import java.nio.file.*;
    @StorageDriver(name = "$name", description = "Files on a shelf", version = "$version",
        supportedDevices = "$name",
        settings = {
          @DriverSetting(name = "keep", description = "the directory of the files", required = true),
          @DriverSetting(name = "size", description = "of a device", type = DriverSetting.Type.SIZE,
              defaultValue = "16MiB")
        }, $annotation)
    public class Shelf implements Driver {
      String keep;
      @Override public void initialize(DriverContext context) { keep = context.settings().get("keep"); }
      @Override public void start() { $start }
      @Override public BlockDevice open(StorageAddress address, OpenOptions options) throws DriverException {
        String id = address.toString();
        try {
          return new Disk(id, Path.of(keep, id.substring("$name:".length())));
        } catch (IOException e) {
          throw new DriverException(DriverException.Reason.FAILED, e.toString(), "");
        }
      }
      @Override public void close() {}
      static class Disk implements BlockDevice {
        static final int SIZE = 16 << 20;
        final DeviceInfo info;
        final FileChannel file;
        Disk(String id, Path path) throws IOException {
          info = new DeviceInfo(id, "Shelf", id, DeviceType.values()[0], -1, SIZE, 512, 4096, false, false);
          file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
          if (file.size() < SIZE) file.write(ByteBuffer.allocate(1), SIZE - 1);
        }
        interface Work { void run() throws IOException; }
        void work(Work work) throws DeviceIoException {
          try { work.run(); } catch (IOException e) {
            throw new DeviceIoException.DeviceGoneException(info.id(), e.toString(), e);
          }
        }
        public DeviceInfo info() { return info; }
        public void read(ByteBuffer target, long offset) throws DeviceIoException {
          work(() -> { for (long at = offset; target.hasRemaining();) at += file.read(target, at); });
        }
        public void write(ByteBuffer source, long offset) throws DeviceIoException {
          work(() -> { for (long at = offset; source.hasRemaining();) at += file.write(source, at); });
        }
        public void flush() throws DeviceIoException { work(() -> file.force(false)); }
        public boolean isOnline() { return file.isOpen(); }
        public void close() { try { file.close(); } catch (IOException e) { } }
      }
    }
    """.trimIndent()
