package dev.arraywright.samples.benchmarks.driver

import dev.arraywright.spi.driver.StorageDriver
import java.lang.classfile.ClassFile
import java.lang.constant.ClassDesc
import java.lang.constant.ConstantDescs
import java.lang.constant.MethodTypeDesc
import java.lang.reflect.AccessFlag
import java.nio.file.Files
import java.nio.file.Path
import java.util.jar.JarEntry
import java.util.jar.JarOutputStream
import javax.tools.ToolProvider
import kotlin.io.path.createDirectories
import kotlin.io.path.deleteExisting
import kotlin.io.path.deleteRecursively
import kotlin.io.path.div
import kotlin.io.path.outputStream
import kotlin.io.path.readBytes
import kotlin.io.path.relativeTo
import kotlin.io.path.toPath
import kotlin.io.path.writeText
import kotlin.random.Random

/** Jars of a driver, `NAME:FILE`, whose devices are files of 16 MiB in the directory that its setting `keep` names. */
internal class BenchDriver(private val folder: Path) {
    /** A jar, compiled against `spi` alone, with so many more classes that nobody asked for. */
    fun jar(name: String, version: String = "1.0.0", padding: Int = 0): Path {
        val classes = Files.createTempDirectory(folder, "classes")
        compile(source(name, version), classes)
        val jar = folder / "$name-$version.jar"
        JarOutputStream(jar.outputStream().buffered()).use { out ->
            Files.walk(classes).use { all ->
                for (file in all.filter { it.toString().endsWith(".class") }.sorted()) {
                    out.add("${file.relativeTo(classes)}", file.readBytes())
                }
            }
            repeat(padding) { out.add("padding/p${it % 100}/C$it.class", paddingClass("padding.p${it % 100}.C$it")) }
        }
        @OptIn(kotlin.io.path.ExperimentalPathApi::class)
        classes.deleteRecursively()
        return jar
    }

    private fun JarOutputStream.add(name: String, content: ByteArray) {
        putNextEntry(JarEntry(name))
        write(content)
        closeEntry()
    }

    private fun compile(source: String, into: Path) {
        val compiler =
            checkNotNull(ToolProvider.getSystemJavaCompiler()) { "this JVM has no compiler: run it by a JDK" }
        val spi = checkNotNull(StorageDriver::class.java.protectionDomain.codeSource).location.toURI().toPath()
        val file = (folder / "source").createDirectories() / "BenchDriver.java"
        file.writeText(source)
        val options = arrayOf("-proc:none", "-nowarn", "-cp", "$spi", "-d", "$into", "$file")
        check(compiler.run(null, null, null, *options) == 0) { "the driver does not compile" }
        file.deleteExisting()
    }

    companion object {
        /** The entry class, by which a plain class loader finds it. */
        const val TYPE = "org.example.BenchDriver"

        private fun source(name: String, version: String) = SOURCE.replace("@NAME@", name).replace("@VERSION@", version)
    }
}

private const val CLASS_BYTES = 2_600
private const val METHOD_BYTES = 110
private val words = "read write block stripe offset length buffer device chunk mirror".split(' ')
private val textOfInt = MethodTypeDesc.of(ConstantDescs.CD_String, ConstantDescs.CD_int)

/** About 2.6 kB that deflate as code does; the same for the same name. */
private fun paddingClass(type: String): ByteArray {
    val random = Random(type.hashCode())
    return ClassFile.of().build(ClassDesc.of(type)) { builder ->
        builder.withFlags(AccessFlag.PUBLIC, AccessFlag.FINAL, AccessFlag.SUPER)
        repeat(CLASS_BYTES / METHOD_BYTES) { index ->
            val name = words.random(random) + words.random(random).replaceFirstChar(Char::uppercase) + index
            val text = List(4) { words.random(random) }.joinToString(" ", postfix = " ${random.nextInt()}")
            builder.withMethodBody(name, textOfInt, ClassFile.ACC_PUBLIC or ClassFile.ACC_STATIC) { code ->
                code.iload(0).loadConstant(random.nextInt()).iadd().pop()
                code.ldc(code.constantPool().stringEntry(text)).areturn()
            }
        }
    }
}

private val SOURCE = """
    package org.example;

    import dev.arraywright.spi.device.*;
    import dev.arraywright.spi.driver.*;
    import java.io.IOException;
    import java.nio.ByteBuffer;
    import java.nio.channels.FileChannel;
    import java.nio.file.Path;
    import java.nio.file.StandardOpenOption;

    @StorageDriver(name = "@NAME@", description = "Files of 16 MiB", version = "@VERSION@",
        supportedDevices = "@NAME@", settings = @DriverSetting(name = "keep", description = "where the files are"))
    public class BenchDriver implements Driver {
      private volatile String keep;

      @Override public void initialize(DriverContext context) { keep = context.settings().get("keep"); }

      @Override public BlockDevice open(StorageAddress address, OpenOptions options) throws DriverException {
        String name = address.toString().substring(address.scheme().length() + 1);
        try {
          return new Disk(address.toString(), Path.of(keep, name));
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
          info = new DeviceInfo(id, "bench", id, DeviceType.values()[0], -1, SIZE, 512, 4096, false, false);
          file = FileChannel.open(path,
              StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
          if (file.size() < SIZE) file.write(ByteBuffer.allocate(1), SIZE - 1);
        }

        interface Work { void run() throws IOException; }

        void work(Work work) throws DeviceIoException {
          try {
            work.run();
          } catch (IOException e) {
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

        public void close() {
          try {
            file.close();
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
        }
      }
    }
""".trimIndent()
