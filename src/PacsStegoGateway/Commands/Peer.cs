using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Commands;

/// <summary>Reads a peer from the command line.</summary>
internal static class Peer
{
    /// <param name="text"><c>AETITLE@HOST:PORT</c>.</param>
    /// <param name="callingAETitle">Our own title.</param>
    /// <exception cref="CommandException">Not of that form.</exception>
    public static PeerAddress Parse(string text, string callingAETitle)
    {
        int at = text.IndexOf('@', StringComparison.Ordinal);
        int colon = text.LastIndexOf(':');
        if (at is < 1 or > 16 || colon < at + 2
            || !int.TryParse(text.AsSpan(colon + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int port)
            || port is < 1 or > 65535)
        {
            throw new CommandException($"'{text}' is not a peer: write AETITLE@HOST:PORT, the title with 1 to 16 characters, the port 1 to 65535.");
        }

        if (callingAETitle.Length is < 1 or > 16)
        {
            throw new CommandException($"The calling AE title '{callingAETitle}' must have 1 to 16 characters.");
        }

        return new PeerAddress(text[(at + 1)..colon].Trim('[', ']'), port, text[..at], callingAETitle);
    }
}
