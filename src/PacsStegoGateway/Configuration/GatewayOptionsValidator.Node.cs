namespace PacsStegoGateway.Configuration;

public static partial class GatewayOptionsValidator
{
    private static void CheckNode(NodeOptions node, Problems found)
    {
        // Also the name of a folder, beside those of two hexadecimal digits that earlier versions made.
        if (node.Name is not { Length: >= 3 and <= 32 } name || !char.IsAsciiLetterLower(name[0])
            || !name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            found.Add("Node:Name", "must be 3 to 32 of the letters a to z, digits and hyphens, and begin with a letter.");
        }

        found.Range("Node:LeaseSeconds", node.LeaseSeconds, 1, 3600);
    }
}
