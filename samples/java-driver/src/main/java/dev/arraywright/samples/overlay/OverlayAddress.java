package dev.arraywright.samples.overlay;

import dev.arraywright.spi.device.StorageAddress;
import dev.arraywright.spi.driver.DriverException;
import dev.arraywright.spi.driver.DriverException.Reason;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * What is laid over what: {@code overlay:/images/base.img?delta=/var/changes.delta}. Without {@code
 * delta} it is the file beside the image, {@code /images/base.img.delta}.
 */
record OverlayAddress(Path base, Path delta) {
  static final String SCHEME = "overlay";
  private static final String FORM = "write overlay:/path/base.img?delta=/path/changes.delta";

  static OverlayAddress of(StorageAddress address) throws DriverException {
    if (!address.scheme().equals(SCHEME)) {
      throw new DriverException(Reason.UNSUPPORTED, address + " is no overlay address", FORM);
    }
    try {
      URI uri = new URI(address.toString());
      if (uri.getPath() == null || uri.getRawAuthority() != null || uri.getFragment() != null) {
        throw invalid(address, "the image is no absolute path");
      }
      String delta = uri.getRawQuery() == null ? uri.getPath() + ".delta" : delta(address, uri);
      Path basePath = Path.of(uri.getPath()).normalize();
      Path deltaPath = Path.of(delta).normalize();
      if (!basePath.isAbsolute() || !deltaPath.isAbsolute()) {
        throw invalid(address, "a path in it is not absolute");
      }
      if (basePath.equals(deltaPath)) {
        throw invalid(address, "image and delta are the same file");
      }
      return new OverlayAddress(basePath, deltaPath);
    } catch (URISyntaxException e) {
      throw invalid(address, e.getReason() + " at position " + e.getIndex());
    } catch (IllegalArgumentException e) {
      throw invalid(address, e.getMessage());
    }
  }

  private static String delta(StorageAddress address, URI uri) throws DriverException {
    String query = uri.getRawQuery();
    if (!query.startsWith("delta=") || query.indexOf('&') >= 0) {
      throw invalid(address, "the one option is 'delta', and '" + query + "' is given");
    }
    // A plus sign in a path is one; only forms mean a blank by it.
    String path = query.substring("delta=".length()).replace("+", "%2B");
    return URLDecoder.decode(path, StandardCharsets.UTF_8);
  }

  private static DriverException invalid(StorageAddress address, String why) {
    return new DriverException(Reason.INVALID, address + " makes no sense: " + why, FORM);
  }

  @Override
  public String toString() {
    return SCHEME + ":" + base + "?delta=" + delta;
  }
}
