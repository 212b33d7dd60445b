package dev.arraywright.spi.testing;

import java.io.IOException;
import java.io.InputStream;

/**
 * Loads a driver a second time, as the kernel loads each: its classes and libraries are its own,
 * and only the JDK and the SPI are shared. What was loaded by one is another class to the next.
 */
final class ApartLoader extends ClassLoader {
  private static final String SPI = "dev.arraywright.spi.";
  private final ClassLoader origin;

  private ApartLoader(ClassLoader origin) {
    super("apart", ClassLoader.getPlatformClassLoader());
    this.origin = origin;
  }

  /** The class of that name, loaded anew. */
  static Class<?> reload(Class<?> type) throws ClassNotFoundException {
    return new ApartLoader(type.getClassLoader()).loadClass(type.getName());
  }

  @Override
  protected Class<?> findClass(String name) throws ClassNotFoundException {
    if (name.startsWith(SPI)) {
      return origin.loadClass(name);
    }
    try (InputStream in = origin.getResourceAsStream(name.replace('.', '/') + ".class")) {
      if (in == null) {
        throw new ClassNotFoundException(name);
      }
      byte[] bytes = in.readAllBytes();
      return defineClass(name, bytes, 0, bytes.length);
    } catch (IOException e) {
      throw new ClassNotFoundException(name, e);
    }
  }
}
