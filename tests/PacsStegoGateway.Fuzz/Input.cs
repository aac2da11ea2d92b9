using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Fuzz;

/// <summary>What the bytes are given to.</summary>
public enum InputKind
{
    /// <summary>A data set of Implicit VR Little Endian.</summary>
    Implicit,

    /// <summary>A data set of Explicit VR Little Endian, encapsulated pixel data included.</summary>
    Explicit,

    /// <summary>A data set of Explicit VR Big Endian.</summary>
    BigEndian,

    /// <summary>A data set of Deflated Explicit VR Little Endian.</summary>
    Deflated,

    /// <summary>A file, with or without preamble and meta information.</summary>
    File,

    /// <summary>Protocol data units as they come off a connection.</summary>
    Pdu,

    /// <summary>A command set.</summary>
    Command,

    /// <summary>A data set as DICOM JSON.</summary>
    Json,
}

/// <summary>Bytes and who reads them. Its name as a file begins with the kind, so that it can be read again.</summary>
public sealed record Input(InputKind Kind, byte[] Bytes)
{
    /// <exception cref="FormatException">The name does not begin with a kind.</exception>
    public static Input Load(string path)
    {
        string kind = Path.GetFileName(path).Split('-')[0];
        return new Input(Enum.TryParse(kind, ignoreCase: true, out InputKind known)
            ? known
            : throw new FormatException($"The name of {path} begins with none of {string.Join(", ", Enum.GetNames<InputKind>())}."), File.ReadAllBytes(path));
    }

    internal static TransferSyntax SyntaxOf(InputKind kind) => kind switch
    {
        InputKind.Implicit or InputKind.Command => TransferSyntax.ImplicitVRLittleEndian,
        InputKind.BigEndian => TransferSyntax.ExplicitVRBigEndian,
        InputKind.Deflated => TransferSyntax.DeflatedExplicitVRLittleEndian,
        _ => TransferSyntax.ExplicitVRLittleEndian,
    };
}

/// <summary>An oracle's answer that must never come.</summary>
public sealed class FuzzFailureException(string message) : Exception(message);
