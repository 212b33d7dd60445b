package dev.arraywright.kernel.driver

import java.nio.file.Path
import kotlin.io.path.div

/**
 * A driver of memory, `ram:NAME`, 16 MiB each, whose devices keep their bytes only while they are open; with a
 * directory in its setting `keep` they are files there, which outlive it. `ram:bad` cannot be opened, and `ram:odd`
 * fails to read its 13th MiB by an exception of its own.
 *
 * @param body more members; `void start()` and the like
 * @param opening statements at the beginning of `open`
 */
internal fun ramDriver(
    folder: Path,
    name: String = "ram",
    version: String = "1.0.0",
    annotation: String = "",
    scheme: String = name,
    body: String = "",
    opening: String = "",
    file: String = "$name-$version.jar",
    more: DriverJar.() -> Unit = {},
): Path {
    val type = "org.example.${name.replaceFirstChar(Char::uppercase)}"
    val close = if ("@Override public void close()" in body) "" else "@Override public void close() {}"
    val source = driverSource(
        type,
        name,
        version,
        """supportedDevices = "$scheme",
           settings = @DriverSetting(name = "keep", description = "a directory for the bytes") $annotation""",
        body = "${RAM.replaceFirst("String name", "$opening String name")} $close $body",
    )
    return DriverJar().source(type, source).apply(more).writeTo(folder / file)
}

private val RAM = """
    static class Oops extends RuntimeException { Oops(String text) { super(text); } }
    volatile String keep;
    @Override public void initialize(DriverContext context) { keep = context.settings().get("keep"); }
    @Override public BlockDevice open(StorageAddress address, OpenOptions options) throws DriverException {
      String name = address.toString().substring(address.scheme().length() + 1);
      if (name.equals("bad")) throw new Oops("nobody made " + name);
      try {
        var path = keep == null ? java.nio.file.Files.createTempFile("ram", null) : java.nio.file.Path.of(keep, name);
        return new Disk(address.toString(), path, keep == null);
      } catch (java.io.IOException e) {
        throw new DriverException(DriverException.Reason.FAILED, e.toString(), "");
      }
    }
    static class Disk implements BlockDevice {
      static final int SIZE = 16 << 20;
      final DeviceInfo info;
      final java.nio.channels.FileChannel file;
      final boolean odd;
      Disk(String id, java.nio.file.Path path, boolean temporary) throws java.io.IOException {
        odd = id.endsWith("odd");
        info = new DeviceInfo(id, "RAM", id, DeviceType.values()[0], -1, SIZE, 512, 4096, false, false);
        file = java.nio.channels.FileChannel.open(path, java.nio.file.StandardOpenOption.READ,
            java.nio.file.StandardOpenOption.WRITE, java.nio.file.StandardOpenOption.CREATE);
        if (file.size() < SIZE) file.write(java.nio.ByteBuffer.allocate(1), SIZE - 1);
        if (temporary) java.nio.file.Files.delete(path);
      }
      interface Work { void run() throws java.io.IOException; }
      void work(Work work) throws DeviceIoException {
        try { work.run(); } catch (java.io.IOException e) {
          throw new DeviceIoException.DeviceGoneException(info.id(), e.toString(), e);
        }
      }
      public DeviceInfo info() { return info; }
      public void read(java.nio.ByteBuffer target, long offset) throws DeviceIoException {
        if (odd && offset >= 12 << 20 && offset < 13 << 20) throw new Oops("odd bytes");
        work(() -> { for (long at = offset; target.hasRemaining();) at += file.read(target, at); });
      }
      public void write(java.nio.ByteBuffer source, long offset) throws DeviceIoException {
        work(() -> { for (long at = offset; source.hasRemaining();) at += file.write(source, at); });
      }
      public void flush() throws DeviceIoException { work(() -> file.force(false)); }
      public boolean isOnline() { return file.isOpen(); }
      public void close() { try { file.close(); } catch (java.io.IOException e) { throw new Oops(e.toString()); } }
    }
"""
