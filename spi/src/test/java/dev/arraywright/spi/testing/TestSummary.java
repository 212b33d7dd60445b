package dev.arraywright.spi.testing;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * What the build prints of its tests: a line a module and, at the end, every test that was skipped
 * by name with its reason. Read from Surefire's reports, so whatever was skipped is in the count,
 * for a missing peer or otherwise.
 */
public final class TestSummary {
  private record Skipped(String spec, String test, String reason) {}

  private final Instant begun;
  private final List<Skipped> skipped = new ArrayList<>();
  private final Map<String, Set<String>> reasons = new HashMap<>();
  private int run;
  private double seconds;

  private TestSummary(Instant begun) {
    this.begun = begun;
  }

  /**
   * Arguments: {@code module} or {@code all}, the directory, the instant the build began, and
   * whether peers are required. If so, a skipped test ends this with status 1: Kotest takes what a
   * spec's condition throws for a skip.
   */
  public static void main(String[] arguments) throws IOException, XMLStreamException {
    TestSummary summary = new TestSummary(Instant.parse(arguments[2]));
    Path directory = Path.of(arguments[1]);
    boolean all = arguments[0].equals("all");
    boolean unlawful = Boolean.parseBoolean(arguments[3]);
    for (Path module : all ? modules(directory) : List.of(directory)) {
      summary.read(module);
    }
    if (all || summary.run > 0) {
      summary.print(all ? "all" : directory.getFileName().toString());
    }
    unlawful &= !summary.skipped.isEmpty();
    if (all || unlawful) {
      summary.skipped.forEach(
          one ->
              System.out.println("  skipped: " + one.spec + ": " + one.test + ": " + one.reason));
    }
    if (all) {
      // A failed test ends the build before it comes here.
      System.out.printf(
          "tests: %d passed, 0 failed, %d skipped%n",
          summary.run - summary.skipped.size(), summary.skipped.size());
    }
    if (unlawful) {
      System.out.println(
          "Peers are required here (arraywright.peers.required), so nothing may be skipped.");
      System.exit(1);
    }
  }

  private static List<Path> modules(Path root) throws IOException {
    try (Stream<Path> found =
        Files.find(
            root, 4, (path, attributes) -> path.endsWith(Path.of("target", "surefire-reports")))) {
      return found.map(path -> path.getParent().getParent()).sorted().toList();
    }
  }

  private void print(String name) {
    System.out.printf(
        Locale.ROOT,
        "%-14s %6d passed %4d skipped %8.1f s%n",
        name,
        run - skipped.size(),
        skipped.size(),
        seconds);
  }

  private void read(Path module) throws IOException, XMLStreamException {
    Path reports = module.resolve("target").resolve("surefire-reports");
    if (!Files.isDirectory(reports)) {
      return;
    }
    readReasons(module.resolve("target").resolve(Peers.RECORD));
    try (Stream<Path> files = Files.list(reports)) {
      for (Path file :
          files
              .filter(path -> path.getFileName().toString().matches("TEST-.*\\.xml"))
              .sorted()
              .toList()) {
        if (!Files.getLastModifiedTime(file).toInstant().isBefore(begun)) {
          readReport(file);
        }
      }
    }
  }

  private void readReport(Path file) throws IOException, XMLStreamException {
    XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    try (InputStream stream = Files.newInputStream(file)) {
      XMLStreamReader xml = factory.createXMLStreamReader(stream);
      String spec = "";
      String test = "";
      while (xml.hasNext()) {
        if (xml.next() != XMLStreamConstants.START_ELEMENT) {
          continue;
        }
        switch (xml.getLocalName()) {
          case "testsuite" ->
              seconds += Double.parseDouble(xml.getAttributeValue(null, "time").replace(",", ""));
          case "testcase" -> {
            spec = simple(xml.getAttributeValue(null, "classname"));
            test = xml.getAttributeValue(null, "name");
            run++;
          }
          case "skipped" -> skipped.add(new Skipped(spec, test, reason(xml, spec)));
          default -> {}
        }
      }
    }
  }

  /**
   * Kotest's reasons do not reach the report, so those that {@link Peers} gave are read beside it.
   */
  private void readReasons(Path record) throws IOException {
    if (!Files.isRegularFile(record)) {
      return;
    }
    for (String line : Files.readAllLines(record)) {
      String[] fields = line.split("\t", 3);
      if (!Instant.parse(fields[0]).isBefore(begun)) {
        reasons.computeIfAbsent(simple(fields[1]), spec -> new TreeSet<>()).add(fields[2]);
      }
    }
  }

  private String reason(XMLStreamReader xml, String spec) {
    String message = xml.getAttributeValue(null, "message");
    return message == null || message.isBlank()
        ? String.join("; ", reasons.getOrDefault(spec, Set.of("no reason given")))
        : message;
  }

  private static String simple(String className) {
    return className.substring(className.lastIndexOf('.') + 1);
  }
}
