using System.Text;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Security;

/// <summary>What became of the user identity of an association (PS3.7 D.3.3.7).</summary>
/// <param name="IsAdmitted">False: the association is rejected.</param>
/// <param name="User">For the audit trail; null when nobody was asked for.</param>
public readonly record struct UserDecision(bool IsAdmitted, string? User);

/// <summary>Verifies user names and passcodes. Types 1 and 2; Kerberos, SAML and JSON Web Tokens are not supported.</summary>
public sealed class UserGate : IDisposable
{
    private const int LongestName = 64;
    private const int LongestPasscode = 256;

    /// <summary>Hashing is slow on purpose: no more than this many at a time, or guesses would hold up everything else.</summary>
    private readonly SemaphoreSlim _hashing = new(Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>Who may come, of a caller that names users; of one that names none, nobody is asked for.</summary>
    public async Task<UserDecision> AdmitAsync(IReadOnlyList<CallerUserOptions> users, UserIdentity? identity, CancellationToken cancellationToken)
    {
        if (users.Count == 0)
        {
            return new UserDecision(true, null);
        }

        if (identity is not { Type: 1 or 2 } || NameOf(identity.PrimaryField.Span) is not { } name || identity.SecondaryField.Length > LongestPasscode)
        {
            return new UserDecision(false, null);
        }

        string? expected = users.FirstOrDefault(u => u.Name == name)?.Passcode;
        if (expected is null && users.Any(static u => u.Name == CallerUserOptions.Anybody))
        {
            return new UserDecision(true, $"{name} (as stated)");
        }

        if (expected == PasscodeHash.None)
        {
            return new UserDecision(true, name);
        }

        await _hashing.WaitAsync(cancellationToken);
        try
        {
            bool isRight = await Task.Run(() => PasscodeHash.IsMatch(expected, identity.SecondaryField.Span), cancellationToken);
            return new UserDecision(isRight && identity.Type == 2, expected is null ? null : name);
        }
        finally
        {
            _hashing.Release();
        }
    }

    public void Dispose() => _hashing.Dispose();

    /// <summary>Null when it cannot be a name that we would write down: too long, or not printable text.</summary>
    private static string? NameOf(ReadOnlySpan<byte> field)
    {
        if (field.Length is 0 or > LongestName || !System.Text.Unicode.Utf8.IsValid(field))
        {
            return null;
        }

        string name = Encoding.UTF8.GetString(field).Trim();
        return name.Length > 0 && name.All(static c => !char.IsControl(c) && !char.IsSurrogate(c)) ? name : null;
    }
}
