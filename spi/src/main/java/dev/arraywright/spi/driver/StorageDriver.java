package dev.arraywright.spi.driver;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Announces a {@link Driver}. Read from the class file, without loading the class; the class is
 * public and has a public constructor without parameters.
 */
@Documented
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface StorageDriver {
  /** Unique, in lower case: letters, digits, {@code - . _}. */
  String name();

  /** One line for an operator. */
  String description();

  /** Semantic version, such as {@code 1.4.2}. */
  String version();

  /**
   * What it serves: address schemes ({@code file}, {@code nbd}) or, with a colon, hardware patterns
   * of the discovery ({@code pci:v00001AF4d*}, {@code block:nvme*}).
   */
  String[] supportedDevices();

  /** Oldest Arraywright it works with, such as {@code 0.1.0}. */
  String minimumPlatform() default "0.1.0";

  /** Whether it is loaded as soon as it is found, rather than when asked for. */
  boolean autoLoad() default true;

  /**
   * Whether a device may be opened by one instance of the driver while another still serves it: an
   * upgrade then opens all devices before calls have to wait, and the pause is shorter. The other
   * instance goes on to write until it is flushed for the last time, after this one's {@code open};
   * nothing but {@link OpenOptions#takeOver()} says so. So this is for a driver whose devices keep
   * nothing in memory of what they have read, not when they are opened either (such as a table of
   * blocks, a header, a cache), and write nothing before they are first asked to. Both versions
   * have to say so; a driver that does not is opened while nobody writes.
   */
  boolean opensBeside() default false;

  /**
   * Other drivers that have to run before it, each a name and, after a blank, a range of versions:
   * {@code "fabric ^1.2"}.
   */
  String[] requires() default {};

  /** The settings it takes from the configuration. */
  DriverSetting[] settings() default {};
}
