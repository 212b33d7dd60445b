package dev.arraywright.spi.device;

import java.util.Objects;

/**
 * Where a device is, written as a URI:
 *
 * <pre>
 * file:/var/lib/arraywright/m0.img      a regular file, absolute path
 * block:/dev/nvme0n1                    a block special file
 * nbd://host:10809/name                 an NBD export over TCP (port 10809 unless given)
 * nbd+unix:///name?socket=/run/x.sock   an NBD export over a Unix socket
 * memory:64MiB#scratch                  memory of this process, told apart by the name after '#'
 * other:anything                        for a driver that supports the scheme "other"
 * </pre>
 *
 * {@link #parse} and {@link #toString} are inverse to one another. In paths and names {@code %},
 * {@code ?}, {@code #}, spaces and control characters are written percent-encoded (UTF-8).
 */
public sealed interface StorageAddress {
  /** The part before the first colon, in lower case. */
  String scheme();

  /** A regular file by absolute path. */
  record File(String path) implements StorageAddress {
    public File {
      AddressParser.requireAbsolute(path);
    }

    @Override
    public String scheme() {
      return "file";
    }

    @Override
    public String toString() {
      return "file:" + AddressParser.encode(path);
    }
  }

  /** A block special file by absolute path. */
  record Block(String path) implements StorageAddress {
    public Block {
      AddressParser.requireAbsolute(path);
    }

    @Override
    public String scheme() {
      return "block";
    }

    @Override
    public String toString() {
      return "block:" + AddressParser.encode(path);
    }
  }

  /** An NBD export over TCP; the export's name may be empty, which asks for the default one. */
  record Nbd(String host, int port, String export) implements StorageAddress {
    /** The port that IANA assigned to NBD. */
    public static final int DEFAULT_PORT = 10809;

    public Nbd {
      if (host.isEmpty() || host.chars().anyMatch(c -> "/?#[]@ %".indexOf(c) >= 0 || c < ' ')) {
        throw new IllegalArgumentException("not a host: '" + host + "'");
      }
      if (port < 1 || port > 65535) {
        throw new IllegalArgumentException("not a port: " + port);
      }
      Objects.requireNonNull(export, "export");
    }

    @Override
    public String scheme() {
      return "nbd";
    }

    @Override
    public String toString() {
      String shown = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
      String suffix = port == DEFAULT_PORT ? "" : ":" + port;
      return "nbd://" + shown + suffix + "/" + AddressParser.encode(export);
    }
  }

  /** An NBD export over a Unix socket. */
  record NbdUnix(String socket, String export) implements StorageAddress {
    public NbdUnix {
      AddressParser.requireAbsolute(socket);
      Objects.requireNonNull(export, "export");
    }

    @Override
    public String scheme() {
      return "nbd+unix";
    }

    @Override
    public String toString() {
      return "nbd+unix:///"
          + AddressParser.encode(export)
          + "?socket="
          + AddressParser.encode(socket);
    }
  }

  /** Memory of this process: size in bytes, and a name that tells equal ones apart. */
  record Memory(long size, String name) implements StorageAddress {
    public Memory {
      if (size <= 0) {
        throw new IllegalArgumentException("not a size: " + size);
      }
      Objects.requireNonNull(name, "name");
    }

    @Override
    public String scheme() {
      return "memory";
    }

    @Override
    public String toString() {
      String fragment = name.isEmpty() ? "" : "#" + AddressParser.encode(name);
      return "memory:" + ByteSize.format(size) + fragment;
    }
  }

  /** An address of a driver's own: the scheme, and the rest as written. */
  record Other(String scheme, String rest) implements StorageAddress {
    public Other {
      AddressParser.requireForeignScheme(scheme);
      AddressParser.requirePrintable(rest);
    }

    @Override
    public String toString() {
      return scheme + ":" + rest;
    }
  }

  /**
   * Parses an address as above.
   *
   * @throws AddressSyntaxException with the position of the first wrong character and the reason
   */
  static StorageAddress parse(String text) throws AddressSyntaxException {
    return new AddressParser(text).parse();
  }
}
