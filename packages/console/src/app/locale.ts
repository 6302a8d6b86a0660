/**
 * Browsers started under the POSIX locale report `en-US@posix`, which is no language tag, and libraries that hand
 * `navigator.language` to `Intl` throw on it. Imported before anything else.
 */
function isValid(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length > 0;
  } catch {
    return false;
  }
}

if (!isValid(navigator.language)) Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
