namespace PacsStegoGateway.Steganography.Sealing;

/// <summary>Why a key ring cannot be used as asked.</summary>
public enum KeyRingError
{
    /// <summary>There is no file at the path.</summary>
    NotFound,

    /// <summary>A new ring would overwrite a file.</summary>
    AlreadyExists,

    /// <summary>Group or others may read or write the file.</summary>
    TooOpen,

    /// <summary>The file is not a key ring of a known format, or part of it is damaged.</summary>
    Damaged,

    /// <summary>The ring holds no key of this id.</summary>
    UnknownKey,

    /// <summary>The active key cannot be retired: nothing would be left to seal with.</summary>
    KeyIsActive,

    /// <summary>The ring was not read from a file, and cannot be changed here.</summary>
    NotAFile,
}

/// <summary>A key ring problem and, in its message, what to do about it. Never holds key material.</summary>
public sealed class KeyRingException(KeyRingError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public KeyRingError Error { get; } = error;
}
