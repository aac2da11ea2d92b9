using PacsStegoGateway.Security;

namespace PacsStegoGateway.Configuration;

/// <summary>What an account of the operating system may do at the command line.</summary>
public sealed class OperatorOptions
{
    /// <summary>Before the name of a group.</summary>
    public const string GroupPrefix = "group:";

    /// <summary>An account (<c>alice</c>, on Windows <c>DOMAIN\alice</c>) or a group (<c>group:pacs-admins</c>).</summary>
    public string Account { get; set; } = "";

    /// <summary>Its roles; of an account that is listed more than once, by its groups, all of them. Empty: it may do nothing.</summary>
    public List<Role> Roles { get; set; } = [];
}
