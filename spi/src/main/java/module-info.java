/** The contract between Arraywright and its drivers: plain Java, no dependency. */
module dev.arraywright.spi {
  exports dev.arraywright.spi.device;
  exports dev.arraywright.spi.driver;
  exports dev.arraywright.spi.memory;
}
